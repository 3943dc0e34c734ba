"""A service behind a load balancer by each of the other ways in which a new version can take over."""

from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns

from infra.compute.fargate_service import ReplaceableService
from infra.compute.public_targets import PublicTargets
from infra.compute.scaling import Scaling
from infra.services import read_services

ACCOUNT: Final = "111122223333"
STRATEGIES: Final[tuple[Literal["canary", "blue_green"], ...]] = ("canary", "blue_green")


def make(app: cdk.App) -> None:
    """A stack for each, by its name."""
    for strategy in STRATEGIES:
        _deployed(
            cdk.Stack(app, strategy.replace("_", "-"), env=cdk.Environment(account=ACCOUNT, region="us-east-1")),
            strategy,
        )


def _deployed(stack: cdk.Stack, strategy: Literal["canary", "blue_green"]) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["us-east-1a", "us-east-1b"],
        public_subnet_ids=["subnet-1", "subnet-2"],
        isolated_subnet_ids=["subnet-3", "subnet-4"],
        isolated_subnet_names=["application"],
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1", mutable=False)
    balancer = elb.ApplicationLoadBalancer(stack, "Balancer", vpc=vpc, security_group=group)
    listener = balancer.add_listener(
        "Listener", port=80, open=False, default_action=elb.ListenerAction.fixed_response(404)
    )
    targets = PublicTargets(
        stack,
        "Targets",
        service=read_services()["backend"],
        strategy=strategy,
        vpc=vpc,
        balancer=balancer,
        listener=listener,
        account=ACCOUNT,
        name="sanctum-test-backend",
        topic=sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"),
    )
    definition = ecs.FargateTaskDefinition(stack, "Task")
    definition.add_container(
        "backend",
        image=ecs.ContainerImage.from_registry("backend"),
        port_mappings=[ecs.PortMapping(container_port=8443)],
    )
    service = ReplaceableService(
        stack,
        "Service",
        cluster=ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="sanctum-test", vpc=vpc),
        task_definition=definition,
        security_group=group,
        strategy=strategy,
        alarms=targets.alarms,
        start_seconds=60,
    )
    targets.attach(service)
    Scaling(stack, "Scaling", service=service, least=1, most=2)
