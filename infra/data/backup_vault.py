"""Where AWS Backup keeps what it copies."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk.interfaces.aws_kms import IKeyRef
from constructs import Construct

from infra.encryption import customer_key, removal_policy
from infra.settings import Environment

LOCK_CHANGEABLE = cdk.Duration.days(3)
"""How long a new lock can still be taken away: the least that AWS Backup has."""


class BackupVault(backup.BackupVault):
    """A vault under a key of its own, from which nobody deletes before the time, unless they change its policy first.

    With ``backup.lock_days`` not even then (AWS Backup guide, "AWS Backup Vault Lock"). A copy of an Aurora cluster is
    encrypted with the cluster's key while it is in the cluster's region, and with the vault's key in another one (the
    same guide, "Encryption for backups").
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, purpose: str) -> None:
        """``purpose``: the end of its name, and of its key's."""
        lock = environment.backup.lock_days
        key = customer_key(
            scope, f"{construct_id}Key", environment=environment, purpose=purpose, through=["backup", "rds"]
        )
        super().__init__(
            scope,
            construct_id,
            backup_vault_name=environment.resource_name(purpose),
            encryption_key=cast("IKeyRef", key),
            block_recovery_point_deletion=environment.protected,
            lock_configuration=backup.LockConfiguration(
                min_retention=cdk.Duration.days(lock), changeable_for=LOCK_CHANGEABLE
            )
            if lock
            else None,
            removal_policy=removal_policy(environment),
        )
