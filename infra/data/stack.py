"""The Data stack."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import sealing
from infra.data.backups import Backups
from infra.data.key_exports import KeyExports
from infra.data.memory_domain import MemoryDomain
from infra.data.replication_role import NAME as REPLICATION
from infra.data.replication_role import ReplicationRole
from infra.data.signing_keys import SigningKeys
from infra.data.users_database import UsersDatabase
from infra.data.words_key import WordsKey
from infra.encryption import customer_key
from infra.network.stack import NetworkStack
from infra.operations.stack import OperationsStack
from infra.services import Service
from infra.settings import Environment


class DataStack(cdk.Stack):
    """The two stores, the backups of one, the token signing keys, and what people's words are sealed with; each kind
    of data under a key of its own."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        services: Mapping[str, Service],
        network: NetworkStack,
        operations: OperationsStack,
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        groups, alarms = network.security_groups.stores, cast("sns.ITopic", operations.alarms)

        def role(*name: str) -> str:
            return sealing.role(environment, *name)

        self.secrets_key = customer_key(
            self, "SecretsKey", environment=environment, purpose="secrets", through=["secretsmanager", "rds", "s3"]
        )
        self.words_key_arn = WordsKey(self, "WordsKey", environment=environment).key_arn
        exports = KeyExports(
            self,
            "KeyExports",
            environment=environment,
            region=environment.account.region,
            key=self.secrets_key,
            users=[role("backend", "roll_keys"), *([role(REPLICATION)] if environment.backup.copy_region else [])],
        )
        if region := environment.backup.copy_region:
            exports.replicate(
                environment=environment,
                region=region,
                role=ReplicationRole(
                    self,
                    "KeyExportsReplication",
                    environment=environment,
                    key_arn=self.secrets_key.key_arn,
                    region=region,
                ),
            )
        users_key = customer_key(self, "UsersKey", environment=environment, purpose="users", through=["rds", "backup"])
        self.users = UsersDatabase(
            self,
            "Users",
            environment=environment,
            vpc=network.vpc,
            security_group=groups["users"],
            key=users_key,
            secrets_key=self.secrets_key,
            logs_key=network.logs_key,
            alarms=alarms,
        )
        if environment.backup.enabled:
            Backups(
                self,
                "Backups",
                environment=environment,
                database=self.users,
                key_arn=users_key.key_arn,
                alarms=alarms,
            )
        self.memory = MemoryDomain(
            self,
            "Memory",
            environment=environment,
            vpc=network.vpc,
            security_group=groups["memory"],
            key=customer_key(self, "MemoryKey", environment=environment, purpose="memory", through=["es"]),
            logs_key=network.logs_key,
            readers=[
                role(name, *task)
                for name, service in services.items()
                if "memory" in service.stores
                for task in ((), *((t,) for t in service.tasks))
            ],
            alarms=alarms,
        )
        self.signing_keys_arn = SigningKeys(
            self,
            "SigningKeys",
            environment=environment,
            key=self.secrets_key,
            users=[role("backend"), role("backend", "rotate_keys")],
        ).ref
