"""The other ways in which a new version can take over, which no environment has as it is shipped."""

from typing import Literal, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from infra.compute.fargate_service import ReplaceableService
from infra.compute.public_targets import PublicTargets
from infra.compute.scaling import Scaling
from infra.services import read_services
from tests.infra.template import Json, reference

ACCOUNT = "111122223333"
Resources = dict[str, Json]


def _deployed(strategy: Literal["canary", "blue_green"]) -> Resources:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
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
    assert targets.swaps
    return cast("Resources", Template.from_stack(stack).to_json()["Resources"])


@pytest.fixture(scope="module", params=["canary", "blue_green"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Both of them."""
    return str(request.param)


@pytest.fixture(scope="module")
def resources(strategy: Literal["canary", "blue_green"]) -> Resources:
    """What a service deployed by one of them is made of."""
    return _deployed(strategy)


def _only(resources: Resources, kind: str) -> Json:
    (found,) = [resource for resource in resources.values() if resource["Type"] == kind]
    return found["Properties"]


def test_the_old_version_is_kept_for_ten_minutes_and_a_canary_gets_a_tenth(resources: Resources, strategy: str) -> None:
    deployment = _only(resources, "AWS::ECS::Service")["DeploymentConfiguration"]
    assert deployment["Strategy"] == strategy.upper()
    assert deployment["BakeTimeInMinutes"] == 10
    canary = {"CanaryPercent": 10, "CanaryBakeTimeInMinutes": 10} if strategy == "canary" else None
    assert deployment.get("CanaryConfiguration") == canary
    assert deployment["Alarms"]["Rollback"] is True
    assert len(deployment["Alarms"]["AlarmNames"]) == 3  # errors, and one for each target group


def test_requests_go_to_one_of_two_groups_that_are_alike(resources: Resources) -> None:
    groups = {k: r["Properties"] for k, r in resources.items() if r["Type"].endswith("::TargetGroup")}
    one, other = groups.values()
    assert one == other
    rule = _only(resources, "AWS::ElasticLoadBalancingV2::ListenerRule")
    forwarded = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert {reference(t["TargetGroupArn"]): t["Weight"] for t in forwarded} == dict(zip(groups, (100, 0), strict=True))
    (target,) = _only(resources, "AWS::ECS::Service")["LoadBalancers"]
    alternate = target["AdvancedConfiguration"]["AlternateTargetGroupArn"]
    assert [reference(target["TargetGroupArn"]), reference(alternate)] == list(groups)
    production = reference(target["AdvancedConfiguration"]["ProductionListenerRule"])
    assert resources[production]["Type"] == "AWS::ElasticLoadBalancingV2::ListenerRule"


def test_ecs_may_move_requests_between_these_groups_and_change_nothing_else(resources: Resources) -> None:
    (target,) = _only(resources, "AWS::ECS::Service")["LoadBalancers"]
    role = reference(target["AdvancedConfiguration"]["RoleArn"])
    trust = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "ecs.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    (policy,) = [
        r["Properties"]["PolicyDocument"]["Statement"]
        for r in resources.values()
        if r["Type"] == "AWS::IAM::Policy" and role in {reference(x) for x in r["Properties"]["Roles"]}
    ]
    changes = {str(s["Action"]): s["Resource"] for s in policy if "Describe" not in str(s["Action"])}
    assert [
        reference(arn)
        for arn in changes.pop(str(["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]))
    ] == [k for k, r in resources.items() if r["Type"].endswith("::TargetGroup")]
    assert resources[reference(changes.pop("elasticloadbalancing:ModifyRule"))]["Type"].endswith("::ListenerRule")
    assert changes == {}


def test_scaling_does_not_follow_the_requests_of_a_group_that_may_be_the_empty_one(resources: Resources) -> None:
    policy = _only(resources, "AWS::ApplicationAutoScaling::ScalingPolicy")
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
