"""The stack in another region that gets a copy of every backup, and of the keys to open it with."""

import aws_cdk as cdk
from constructs import Construct

from infra import sealing
from infra.data.backup_vault import BackupVault
from infra.data.key_exports import KeyExports
from infra.data.replication_role import NAME as REPLICATION
from infra.data.words_key import WordsReplica
from infra.encryption import customer_key
from infra.settings import Environment

PURPOSE = "copies"
"""End of the vault's name and its key's, by which the region of the database knows them: no stack may refer to one in
another region."""


class BackupCopyStack(cdk.Stack):
    """What is left where a region is lost, or everything in it deleted: a vault; a bucket for the exports of keys; the
    key by which epochs' secrets and these exports are encrypted there; and the words key's replica.

    In the same account: who may delete in both regions is held off by the vault's policy, and by its lock if there is
    one. It has to exist before the Data stack, and outlives it. The replica can be made only when there is a key to
    make it of, after the first deployment of the Data stack (``backup.words_key``).
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=environment.account.id, region=region),
            termination_protection=environment.protected,
        )
        BackupVault(self, "Vault", environment=environment, purpose=PURPOSE)
        # The alias is the same as at home: by it the tasks there name the key of a secret's replica.
        key = customer_key(
            self,
            "SecretsKey",
            environment=environment,
            purpose="secrets",
            # A replica may be asked for from home.
            through=["secretsmanager", f"secretsmanager.{environment.account.region}", "s3"],
        )
        KeyExports(
            self,
            "KeyExports",
            environment=environment,
            region=region,
            key=key,
            users=[
                sealing.role(environment, REPLICATION),
                sealing.role(environment, "backend", "roll_keys"),  # who restores here
            ],
        )
        if words := environment.backup.words_key:
            WordsReplica(self, "WordsKey", environment=environment, key_id=words)
