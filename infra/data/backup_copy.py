"""The stack in another region that gets a copy of every backup."""

import aws_cdk as cdk
from constructs import Construct

from infra.data.backup_vault import BackupVault
from infra.settings import Environment

PURPOSE = "copies"
"""End of the vault's name and its key's, by which the region of the database knows them: no stack may refer to one in
another region."""


class BackupCopyStack(cdk.Stack):
    """A vault and its key: what is left where a region is lost, or everything in it deleted.

    In the same account: who may delete in both regions is held off by the vault's policy, and by its lock if there is
    one. It has to exist before the Data stack, and outlives it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=environment.account.id, region=region),
            termination_protection=environment.protected,
        )
        BackupVault(self, "Vault", environment=environment, purpose=PURPOSE)
