"""A backup vault with a lock, and one without."""

import aws_cdk as cdk

from infra.data.backup_vault import BackupVault
from infra.settings import read_environment


def make(app: cdk.App) -> None:
    """One stack."""
    stack, prod = cdk.Stack(app, "Locks"), read_environment("prod")
    for days in (0, 30):
        environment = prod.model_copy(update={"backup": prod.backup.model_copy(update={"lock_days": days})})
        BackupVault(stack, f"Lock{days}", environment=environment, purpose=f"lock{days}")
