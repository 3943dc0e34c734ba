"""The Network stack."""

from collections.abc import Collection, Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import sealing
from infra.encryption import EncryptedLogGroup, logs_key
from infra.network.dns_firewall import DnsFirewall
from infra.network.endpoints import add_buckets_endpoint, add_interface_endpoints
from infra.network.security_groups import SecurityGroups
from infra.network.vpc import SanctumVpc
from infra.network.ways import layers_bucket, names_in_aws, ways_to_aws
from infra.services import Service
from infra.settings import Environment


class NetworkStack(cdk.Stack):
    """VPC, endpoints or NAT gateways, DNS Firewall, security groups, and the key of the log groups."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, services: Mapping[str, Service]
    ) -> None:
        network, account = environment.network, environment.account
        self._zones = list(network.zones)
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        self.logs_key = logs_key(self, "LogsKey", environment=environment)
        flow_logs = EncryptedLogGroup(self, "FlowLogs", environment=environment, key=self.logs_key, name="flow-logs")
        self.vpc = SanctumVpc(
            self,
            "Vpc",
            name=environment.resource_name(),
            cidr=str(network.cidr),
            zones=network.zones,
            flow_logs=cast("logs.ILogGroup", flow_logs),
            nat_zones=(network.nat_zones or network.zones) if environment.has_nat else (),
        )
        self.security_groups = SecurityGroups(
            self,
            "SecurityGroups",
            vpc=self.vpc,
            name_prefix=environment.resource_name(),
            services=services,
            lattice_prefix_list=network.lattice_prefix_list,
            s3_prefix_list=network.s3_prefix_list,
            to_the_internet=_to_the_internet(environment, services),
        )
        if network.egress == "endpoints":
            add_interface_endpoints(
                self.vpc,
                ways=ways_to_aws(environment),
                account=account.id,
                security_group=self.security_groups.endpoints,
            )
        add_buckets_endpoint(
            self.vpc,
            layers=layers_bucket(account.region),
            exports=sealing.exports_bucket(environment, account.region),
            account=account.id,
        )
        outside = [environment.model.host] if environment.model.host else []
        DnsFirewall(
            self,
            "DnsFirewall",
            vpc=self.vpc,
            name=environment.resource_name(),
            allowed=[*names_in_aws(environment), *outside],
        )

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the settings: the base class would ask AWS for them."""
        return self._zones


def _to_the_internet(environment: Environment, services: Mapping[str, Service]) -> Collection[str]:
    """The services that may use the NAT gateways: all where AWS is reached by them, else those that ask the model."""
    if not environment.has_nat:
        return ()
    return [name for name, service in services.items() if environment.network.egress == "nat" or service.model]
