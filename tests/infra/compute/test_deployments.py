"""A new version takes over while nobody notices, and goes again where somebody would."""

from tests.infra.compute.parts import SERVICES, alarms_of, definition, in_containers, metrics, service
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import reference

SERVICE = "AWS::ECS::Service"
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
ALARM = "AWS::CloudWatch::Alarm"


@promise(
    fewer_tasks_meanwhile=setting(SERVICE, "DeploymentConfiguration.MinimumHealthyPercent", 50),
    no_room_for_new_ones=setting(SERVICE, "DeploymentConfiguration.MaximumPercent", 100),
    streams_broken_off=setting(TARGETS, "TargetGroupAttributes", [
        {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
    ]),
    killed_at_once=in_containers("StopTimeout", 2),
    killed_later_than_fargate_allows=in_containers("StopTimeout", 121),
    trusted_at_once=without(SERVICE, "HealthCheckGracePeriodSeconds"),
)  # fmt: skip
def test_a_deployment_loses_no_request(stacks: Stacks) -> None:
    for name, described in SERVICES.items():
        deployment = service(stacks, name)["Properties"]["DeploymentConfiguration"]
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
        (container,) = definition(stacks, name)["ContainerDefinitions"]
        assert described.grace.drain_seconds < container["StopTimeout"] <= 120
    for group in stacks.properties(TARGETS):
        attributes = {a["Key"]: a["Value"] for a in group["TargetGroupAttributes"]}
        assert attributes["deregistration_delay.timeout_seconds"] == str(SERVICES["backend"].grace.in_flight_seconds)
    backend = service(stacks, "backend")["Properties"]
    assert backend.get("HealthCheckGracePeriodSeconds") == SERVICES["backend"].health.start_seconds


@promise(
    breaker_off=setting(SERVICE, "DeploymentConfiguration.DeploymentCircuitBreaker.Enable", value=False),
    stays_half_way=setting(SERVICE, "DeploymentConfiguration.DeploymentCircuitBreaker.Rollback", value=False),
    flapping_is_forgiven=setting(
        SERVICE, "DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask", value=True
    ),
    not_said=without(SERVICE, "DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask"),
    nothing_to_count=in_containers("HealthCheck", None),
)
def test_a_release_that_does_not_come_up_is_rolled_back(stacks: Stacks) -> None:
    """The breaker counts what the containers' own checks say: it knows nothing of VPC Lattice's."""
    for name, described in SERVICES.items():
        breaker = service(stacks, name)["Properties"]["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
        assert breaker == {"Enable": True, "Rollback": True, "ResetOnHealthyTask": False}
        (container,) = definition(stacks, name)["ContainerDefinitions"]
        check, health = container.get("HealthCheck"), described.health
        assert check is not None
        assert f"https://127.0.0.1:{described.port}{health.live}'" in check["Command"][-1]
        assert (check["Interval"], check["Timeout"]) == (health.interval_seconds, health.timeout_seconds)
        assert (check["Retries"], check["StartPeriod"]) == (health.unhealthy_count, health.start_seconds)


@promise(
    baked=setting(SERVICE, "DeploymentConfiguration.BakeTimeInMinutes", 10),
    in_canaries=setting(SERVICE, "DeploymentConfiguration.Strategy", "CANARY"),
)
def test_a_rolling_deployment_has_no_bake_time_with_which_cloudformation_waits_for_36_hours(stacks: Stacks) -> None:
    for properties in stacks.properties(SERVICE):
        deployment = properties["DeploymentConfiguration"]
        assert deployment["Strategy"] == "ROLLING"
        assert "BakeTimeInMinutes" not in deployment


@promise(
    not_watched=setting(SERVICE, "DeploymentConfiguration.Alarms.Enable", value=False),
    stays=setting(SERVICE, "DeploymentConfiguration.Alarms.Rollback", value=False),
    by_text=setting(SERVICE, "DeploymentConfiguration.Alarms.AlarmNames", ["sanctum-prod-backend-errors"]),
    none=setting(SERVICE, "DeploymentConfiguration.Alarms.AlarmNames", []),
    at_night_too=setting(ALARM, "TreatMissingData", "breaching"),
    too_late=setting(ALARM, "Period", 300),
)
def test_alarms_roll_a_deployment_back_and_are_there_before_it_begins(stacks: Stacks) -> None:
    """By reference: CloudFormation makes them first. One that is off its guard when a deployment begins is ignored."""
    backend, ai_core = alarms_of(stacks, "backend"), alarms_of(stacks, "ai_core")
    assert set(backend) == {"errors", "slow", "stopped", "unhealthy"}
    assert set(ai_core) == {"errors", "slow", "stopped"}
    for alarm in (*backend.values(), *ai_core.values()):
        assert alarm["TreatMissingData"] == "notBreaching"
        assert {metric["Period"] for metric in metrics(alarm)} == {60}
        assert alarm["EvaluationPeriods"] <= 5


@promise(
    elsewhere=setting(ALARM, "MetricName", "CPUUtilization"),
    below=setting(ALARM, "ComparisonOperator", "LessThanThreshold"),
)
def test_the_alarms_look_at_what_people_and_callers_get(stacks: Stacks) -> None:
    backend, ai_core = alarms_of(stacks, "backend"), alarms_of(stacks, "ai_core")
    looked = {name: {m["MetricName"] for m in metrics(alarm)} for name, alarm in backend.items()}
    assert looked["errors"] == {"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "RequestCount"}
    assert looked["unhealthy"] == {"UnHealthyHostCount"}
    assert looked["stopped"] == {"Invocations"}
    assert looked["slow"] == {"backend.Slow", "backend.Timed"}
    assert {m["MetricName"] for m in metrics(ai_core["errors"])} == {"ai_core.Errors"}
    for alarm in (*backend.values(), *ai_core.values()):
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


@promise(
    silent=without(ALARM, "AlarmActions"),
    switched_off=setting(ALARM, "ActionsEnabled", value=False),
    to_another=setting(ALARM, "AlarmActions", ["arn:aws:sns:us-east-1:777788889999:another"]),
)
def test_people_hear_of_every_alarm(stacks: Stacks) -> None:
    for logical_id, resource in stacks.resources(ALARM):
        alarm = resource["Properties"]
        assert alarm.get("ActionsEnabled", True) is True
        assert "AlarmActions" in alarm, logical_id
        assert ["Alarms" in reference(action) for action in alarm["AlarmActions"]] == [True]
        assert alarm["AlarmDescription"]


@promise(
    set_back_by_each_deployment=setting(SERVICE, "DesiredCount", 2),
    too_few=setting("AWS::ApplicationAutoScaling::ScalableTarget", "MinCapacity", 1),
    without_end=setting("AWS::ApplicationAutoScaling::ScalableTarget", "MaxCapacity", 1000),
    in_one_zone=setting(SERVICE, "AvailabilityZoneRebalancing", "DISABLED"),
    faster_than_tasks_go=setting(
        "AWS::ApplicationAutoScaling::ScalingPolicy", "TargetTrackingScalingPolicyConfiguration.ScaleInCooldown", 60
    ),
)
def test_there_are_as_many_tasks_as_the_load_needs_within_the_settings(stacks: Stacks) -> None:
    compute = stacks.settings.compute
    targets = stacks.properties("AWS::ApplicationAutoScaling::ScalableTarget")
    limits = {(target["MinCapacity"], target["MaxCapacity"]) for target in targets}
    assert limits == {(tasks.least, tasks.most) for tasks in (compute.backend, compute.ai_core)}
    for properties in stacks.properties(SERVICE):
        assert "DesiredCount" not in properties
        assert properties["AvailabilityZoneRebalancing"] == "ENABLED"
    for policy in stacks.properties("AWS::ApplicationAutoScaling::ScalingPolicy"):
        cooldown = policy["TargetTrackingScalingPolicyConfiguration"]["ScaleInCooldown"]
        for described in SERVICES.values():
            assert cooldown > described.grace.in_flight_seconds + described.grace.stop_seconds


@promise(
    by_processor_alone=without(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification",
    ),
    more_replies_than_it_can_write=setting(
        "AWS::ApplicationAutoScaling::ScalingPolicy", "TargetTrackingScalingPolicyConfiguration.TargetValue", 16
    ),
)
def test_the_ai_core_grows_before_it_has_to_send_people_away(stacks: Stacks) -> None:
    """What ends first is not its processor but the replies that it may have written at a time."""
    policies = [
        policy["TargetTrackingScalingPolicyConfiguration"]
        for policy in stacks.properties("AWS::ApplicationAutoScaling::ScalingPolicy")
    ]
    found = [policy for policy in policies if "CustomizedMetricSpecification" in policy]
    assert len(found) == 1
    replies = found[0]
    assert replies["TargetValue"] < stacks.settings.model.concurrency
    queries = {query["Id"]: query for query in replies["CustomizedMetricSpecification"]["Metrics"]}
    assert queries["milliseconds"]["MetricStat"]["Metric"]["MetricName"] == "ai_core.Untimed"
    assert queries["tasks"]["MetricStat"]["Stat"] == "SampleCount"
    assert [query["Id"] for query in queries.values() if query["ReturnData"]] == ["replies"]


def _at_once(stacks: Stacks) -> None:
    for _, resource in stacks.resources(SERVICE):
        del resource["DependsOn"]


@promise(at_once=_at_once, with_roles_that_may_nothing=without("AWS::IAM::Policy"))
def test_a_service_starts_after_its_one_off_tasks_and_once_its_roles_have_their_rights(stacks: Stacks) -> None:
    compute = stacks["Compute"]
    runs, policies = compute.resources("Custom::RunTask"), compute.resources("AWS::IAM::Policy")
    for name, described in SERVICES.items():
        waits_for = set(service(stacks, name).get("DependsOn", []))
        assert len(waits_for & set(runs)) == len(described.tasks)
        assert any("ExecutionRoleDefaultPolicy" in logical_id for logical_id in waits_for & set(policies))
