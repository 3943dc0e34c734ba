"""One environment."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from infra.compute.stack import ComputeStack
from infra.data.backup_copy import BackupCopyStack
from infra.data.stack import DataStack
from infra.guards.names import BOUNDARY
from infra.guards.tags import tag
from infra.network.stack import NetworkStack
from infra.operations.stack import OperationsStack
from infra.services import Service
from infra.settings import Environment


class EnvironmentStage(cdk.Stage):
    """Everything of one environment, in stacks that change at different paces: Network, Operations, Data, Compute; and
    before Data, where there is to be one, BackupCopy in another region."""

    def __init__(self, scope: Construct, *, environment: Environment, services: Mapping[str, Service]) -> None:
        account = environment.account
        super().__init__(
            scope,
            environment.name,
            env=cdk.Environment(account=account.id, region=account.region),
            permissions_boundary=cdk.PermissionsBoundary.from_name(BOUNDARY),
        )
        network = NetworkStack(self, "Network", environment=environment, services=services)
        operations = OperationsStack(self, "Operations", environment=environment)
        data = DataStack(
            self, "Data", environment=environment, services=services, network=network, operations=operations
        )
        if region := environment.backup.copy_region:
            data.add_stack_dependency(BackupCopyStack(self, "BackupCopy", environment=environment, region=region))
        ComputeStack(
            self,
            "Compute",
            environment=environment,
            services=services,
            network=network,
            operations=operations,
            data=data,
        )
        tag(self, environment=environment.name)
