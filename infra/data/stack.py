"""The Data stack."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.data.memory_domain import MemoryDomain
from infra.data.users_database import UsersDatabase
from infra.encryption import customer_key, removal_policy
from infra.network.stack import NetworkStack
from infra.operations.stack import OperationsStack
from infra.services import Service
from infra.settings import Environment


class DataStack(cdk.Stack):
    """The two stores and the token signing keys, each kind of data under a key of its own."""

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
        groups = network.security_groups.stores
        self.secrets_key = customer_key(self, "SecretsKey", environment=environment, purpose="secrets")
        self.users = UsersDatabase(
            self,
            "Users",
            environment=environment,
            vpc=network.vpc,
            security_group=groups["users"],
            key=customer_key(self, "UsersKey", environment=environment, purpose="users"),
            secrets_key=self.secrets_key,
            logs_key=network.logs_key,
        )
        self.memory = MemoryDomain(
            self,
            "Memory",
            environment=environment,
            vpc=network.vpc,
            security_group=groups["memory"],
            key=customer_key(self, "MemoryKey", environment=environment, purpose="memory"),
            logs_key=network.logs_key,
            readers=[
                f"arn:aws:iam::{environment.account.id}:role/{environment.resource_name(name, *task)}"
                for name, service in services.items()
                if "memory" in service.stores
                for task in ((), *((t,) for t in service.tasks))
            ],
        )
        # The plain resource: the library's own class would put a random text where the backend expects its keys.
        signing_keys = secretsmanager.CfnSecret(
            self,
            "SigningKeys",
            description="What access tokens are signed with, as a JWK set; written by backend.rotate_keys",
            kms_key_id=self.secrets_key.key_arn,
        )
        signing_keys.apply_removal_policy(removal_policy(environment))
        self.signing_keys_arn = signing_keys.ref
