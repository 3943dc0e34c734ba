"""Calls between the services: VPC Lattice, which checks who calls.

Both legs are HTTPS, and each request is signed with the role of the calling task. The service network, the service and
the caller's own role each have to allow a call.
"""

from collections.abc import Sequence
from typing import cast

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_vpclattice as lattice
from constructs import Construct

from infra import principals
from infra.services import Service
from infra.settings import Environment

IDLE_SECONDS = 300
INVOKE = "vpc-lattice-svcs:Invoke"


class ServiceNetwork(Construct):
    """The VPC's service network: signed calls from roles of this account, inside this VPC."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.environment, self.vpc = environment, vpc
        network = lattice.CfnServiceNetwork(self, "Network", name=environment.resource_name(), auth_type="AWS_IAM")
        self.arn, self.id = network.attr_arn, network.attr_id
        lattice.CfnServiceNetworkVpcAssociation(
            self,
            "Vpc",
            service_network_identifier=self.id,
            vpc_identifier=vpc.vpc_id,
            security_group_ids=[security_group.security_group_id],
        )
        here = {"aws:PrincipalAccount": environment.account.id, "vpc-lattice-svcs:SourceVpc": vpc.vpc_id}
        lattice.CfnAuthPolicy(
            self, "AuthPolicy", resource_identifier=self.arn, policy=_policy("*", {"StringEquals": here})
        )


class PrivateService(Construct):
    """A service that only the roles in ``allow`` can call, at ``url``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: ServiceNetwork,
        service: Service,
    ) -> None:
        super().__init__(scope, construct_id)
        health, self._account = service.health, network.environment.account.id
        self._service = lattice.CfnService(
            self,
            "Service",
            name=network.environment.resource_name(service.name),
            auth_type="AWS_IAM",
            idle_timeout_seconds=IDLE_SECONDS,
        )
        self.url = f"https://{self._service.attr_dns_entry_domain_name}"
        self._targets = lattice.CfnTargetGroup(
            self,
            "Targets",
            type="IP",
            config=lattice.CfnTargetGroup.TargetGroupConfigProperty(
                vpc_identifier=network.vpc.vpc_id,
                ip_address_type="IPV4",
                port=service.port,
                protocol="HTTPS",
                protocol_version="HTTP1",  # HTTP2 would hold a stream back
                health_check=lattice.CfnTargetGroup.HealthCheckConfigProperty(
                    enabled=True,
                    path=health.live,
                    protocol="HTTPS",
                    protocol_version="HTTP1",
                    health_check_interval_seconds=health.interval_seconds,
                    health_check_timeout_seconds=health.timeout_seconds,
                    healthy_threshold_count=health.healthy_count,
                    unhealthy_threshold_count=health.unhealthy_count,
                    matcher=lattice.CfnTargetGroup.MatcherProperty(http_code="200"),
                ),
            ),
        )
        self._listener = lattice.CfnListener(
            self,
            "Https",
            service_identifier=self._service.attr_id,
            protocol="HTTPS",
            port=443,
            default_action=lattice.CfnListener.DefaultActionProperty(
                forward=lattice.CfnListener.ForwardProperty(
                    target_groups=[
                        lattice.CfnListener.WeightedTargetGroupProperty(
                            target_group_identifier=self._targets.attr_id, weight=100
                        )
                    ]
                )
            ),
        )
        lattice.CfnServiceNetworkServiceAssociation(
            self,
            "Association",
            service_network_identifier=network.id,
            service_identifier=self._service.attr_id,
        )

    def attach(self, fargate_service: ecs.FargateService) -> None:
        """Send calls to the tasks of ``fargate_service``."""
        registrar = self._registrar()
        resource = cast("ecs.CfnService", fargate_service.node.default_child)
        resource.vpc_lattice_configurations = [
            ecs.CfnService.VpcLatticeConfigurationProperty(
                port_name="https", role_arn=registrar.role_arn, target_group_arn=self._targets.attr_arn
            )
        ]
        # The policy has to be there with the role, and a target group takes targets once something forwards to it.
        fargate_service.node.add_dependency(registrar, self._listener)

    def _registrar(self) -> iam.Role:
        """By which ECS tells Lattice where the tasks are: ``AmazonECSInfrastructureRolePolicyForVpcLattice``, for this
        target group alone."""
        role = iam.Role(self, "Registrar", assumed_by=principals.service("ecs.amazonaws.com", account=self._account))
        ours = ("RegisterTargets", "DeregisterTargets", "GetTargetGroup", "ListTargets")
        look = ("DescribeInstances", "DescribeSubnets", "DescribeVpcs")  # these know no resources
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"vpc-lattice:{action}" for action in ours], resources=[self._targets.attr_arn]
            )
        )
        role.add_to_policy(iam.PolicyStatement(actions=[f"ec2:{action}" for action in look], resources=["*"]))
        return role

    def allow(self, callers: Sequence[iam.IRole]) -> None:
        """Let ``callers`` in, and nobody else."""
        lattice.CfnAuthPolicy(
            self,
            "AuthPolicy",
            resource_identifier=self._service.attr_arn,
            policy=_policy([role.role_arn for role in callers], {}),
        )
        for role in callers:
            role.add_to_principal_policy(
                iam.PolicyStatement(actions=[INVOKE], resources=[f"{self._service.attr_arn}/*"])
            )


def _policy(principals: str | Sequence[str], conditions: dict[str, object]) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": INVOKE, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": conditions} if conditions else {})]}
