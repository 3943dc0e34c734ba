"""The VPC: a public subnet a zone for the load balancer, one for the services, and one for their data."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import principals
from infra.setting_tables import SUBNET_PREFIX

PUBLIC = ec2.SubnetSelection(subnet_group_name="public")
APPLICATION = ec2.SubnetSelection(subnet_group_name="application")
DATA = ec2.SubnetSelection(subnet_group_name="data")

APPLICATION_PREFIX = 22
"""A thousand addresses a zone: each task and each endpoint takes one."""

EMPTIES_DEFAULT_GROUP = "Custom::VpcRestrictDefaultSGCustomResourceProvider"
"""What the library calls it, once in a stack."""


class SanctumVpc(ec2.Vpc):
    """Subnets in named zones, IPv4 alone, an empty default security group, all traffic written down.

    Data subnets never have a route to the internet; application subnets have one only through the NAT gateways in
    ``nat_zones``, a zone without one using another's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        cidr: str,
        zones: Sequence[str],
        flow_logs: logs.ILogGroup,
        nat_zones: Sequence[str] = (),
    ) -> None:
        """``cidr`` is a /16 to /19. The stack's own ``availability_zones`` have to be ``zones``."""
        super().__init__(
            scope,
            construct_id,
            vpc_name=name,
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=len(zones),
            nat_gateways=len(nat_zones),
            nat_gateway_subnets=ec2.SubnetSelection(
                subnet_group_name=PUBLIC.subnet_group_name, availability_zones=list(nat_zones)
            )
            if nat_zones
            else None,
            subnet_configuration=[
                # First, because the settings count on it for the addresses of the load balancer.
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=SUBNET_PREFIX,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="application",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS if nat_zones else ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=APPLICATION_PREFIX,
                ),
                ec2.SubnetConfiguration(
                    name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=SUBNET_PREFIX
                ),
            ],
        )
        _no_logs_of_its_own(cdk.Stack.of(self))
        writer = iam.Role(
            self,
            "FlowLogWriter",
            assumed_by=principals.service("vpc-flow-logs.amazonaws.com", account=cdk.Stack.of(self).account),
        )
        self.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_logs, cast("iam.IRole", writer))
        )


def _no_logs_of_its_own(stack: cdk.Stack) -> None:
    """Take the right to write logs from the function by which the library empties the default security group.

    Lambda would make their group, for ever and without our key. What goes wrong, the function tells CloudFormation.
    """
    role = cast("cdk.CfnResource", stack.node.find_child(EMPTIES_DEFAULT_GROUP).node.find_child("Role"))
    role.add_property_deletion_override("ManagedPolicyArns")
