"""The other ways in which a new version can take over, which no environment has as it is shipped."""

from pathlib import Path

import pytest

from tests.infra.template import Json, read_application, reference

ACCOUNT = "111122223333"
Resources = dict[str, Json]


@pytest.fixture(scope="module", params=["canary", "blue_green"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Both of them."""
    return str(request.param)


@pytest.fixture(scope="module")
def resources(alone: Path, strategy: str) -> Resources:
    """What a service deployed by one of them is made of."""
    return read_application(alone / "strategies")[strategy.replace("_", "-")].resources()


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
        for arn in changes.pop(str(["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]))
    ] == [k for k, r in resources.items() if r["Type"].endswith("::TargetGroup")]
    assert resources[reference(changes.pop("elasticloadbalancing:ModifyRule"))]["Type"].endswith("::ListenerRule")
    assert changes == {}


def test_scaling_does_not_follow_the_requests_of_a_group_that_may_be_the_empty_one(resources: Resources) -> None:
    policy = _only(resources, "AWS::ApplicationAutoScaling::ScalingPolicy")
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
