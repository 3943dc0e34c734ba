"""The Network stack."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from infra.encryption import logs_key
from infra.network.endpoints import add_endpoints
from infra.network.security_groups import SecurityGroups
from infra.network.vpc import SanctumVpc
from infra.services import Service
from infra.settings import Environment


class NetworkStack(cdk.Stack):
    """VPC, endpoints, security groups, and the key of the log groups."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, services: Mapping[str, Service]
    ) -> None:
        self._zones = list(environment.network.zones)
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        self.logs_key = logs_key(self, "LogsKey", environment=environment)
        self.vpc = SanctumVpc(self, "Vpc", environment=environment, logs_key=self.logs_key)
        self.security_groups = SecurityGroups(
            self, "SecurityGroups", vpc=self.vpc, environment=environment, services=services
        )
        add_endpoints(self.vpc, environment=environment, security_group=self.security_groups.endpoints)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the settings: the base class would ask AWS for them."""
        return self._zones
