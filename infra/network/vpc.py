"""The VPC: a public subnet a zone for the load balancer, and two without any route to the internet."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.encryption import EncryptedLogGroup
from infra.setting_tables import SUBNET_PREFIX
from infra.settings import Environment

PUBLIC = ec2.SubnetSelection(subnet_group_name="public")
APPLICATION = ec2.SubnetSelection(subnet_group_name="application")
DATA = ec2.SubnetSelection(subnet_group_name="data")

APPLICATION_PREFIX = 22
"""A thousand addresses a zone: each task and each endpoint takes one."""


class SanctumVpc(ec2.Vpc):
    """Subnets in the zones of the settings, no NAT, an empty default security group, all traffic written down."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, logs_key: kms.Key) -> None:
        super().__init__(
            scope,
            construct_id,
            vpc_name=environment.resource_name(),
            ip_addresses=ec2.IpAddresses.cidr(str(environment.network.cidr)),
            max_azs=len(environment.network.zones),
            nat_gateways=0,
            subnet_configuration=[
                # First, because the settings count on it for the addresses of the load balancer.
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=SUBNET_PREFIX,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="application", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=APPLICATION_PREFIX
                ),
                ec2.SubnetConfiguration(
                    name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=SUBNET_PREFIX
                ),
            ],
        )
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="Zones come from the settings: whoever deploys needs no account to see what will be deployed",
            )
        )
        group = EncryptedLogGroup(self, "FlowLogGroup", environment=environment, key=logs_key, name="flow-logs")
        self.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
