"""What runs without anybody waiting for it tells when it does not."""

from itertools import pairwise

from tests.infra.compute.parts import SERVICES, family, statements
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, reference

SCHEDULE, RULE, RUN = "AWS::Scheduler::Schedule", "AWS::Events::Rule", "Custom::RunTask"
SCHEDULED = {
    (name, task): described.tasks[task].when
    for name, described in SERVICES.items()
    for task in described.tasks
    if described.tasks[task].when != "deploy"
}


def _rule(stacks: Stacks, name: str) -> Json:
    (found,) = [p for p in stacks["Compute"].properties(RULE) if p["Name"] == name]
    return found


@promise(
    never=without(SCHEDULE),
    seldom=setting(SCHEDULE, "ScheduleExpression", "rate(365 days)"),
    switched_off=setting(SCHEDULE, "State", "DISABLED"),
    once=setting(SCHEDULE, "Target.RetryPolicy.MaximumRetryAttempts", 0),
    key_of_aws=without(SCHEDULE, "KmsKeyArn"),
)
def test_a_scheduled_task_runs_as_its_description_says_and_is_tried_again(stacks: Stacks) -> None:
    schedules = {p["Name"]: p for p in stacks.properties(SCHEDULE)}
    assert set(schedules) == {family(stacks, *run) for run in SCHEDULED}
    for run, when in SCHEDULED.items():
        schedule = schedules[family(stacks, *run)]
        assert schedule["ScheduleExpression"] == when
        assert schedule.get("State", "ENABLED") == "ENABLED"
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
        definition = stacks["Compute"].resources()[reference(schedule["Target"]["EcsParameters"]["TaskDefinitionArn"])]
        assert definition["Properties"]["Family"] == family(stacks, *run)
        assert "TasksKey" in reference(schedule.get("KmsKeyArn", ""))


@promise(
    any_cluster=setting("AWS::IAM::Role", "AssumeRolePolicyDocument.Statement.0.Condition", {}),
    any_schedule=setting(
        "AWS::IAM::Role", "AssumeRolePolicyDocument.Statement.0.Condition",
        {"StringEquals": {"aws:SourceAccount": "777788889999"}},
    ),
)  # fmt: skip
def test_the_schedules_role_is_for_this_environments_schedules_and_runs_their_tasks_alone(stacks: Stacks) -> None:
    compute = stacks["Compute"].resources()
    roles = {reference(p["Target"]["RoleArn"]) for p in stacks.properties(SCHEDULE)}
    (role,) = roles
    (trust,) = compute[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    account, region = stacks.settings.account.id, stacks.settings.account.region
    group = f"arn:aws:scheduler:{region}:{account}:schedule-group/{stacks.settings.resource_name()}"
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust.get("Condition") == {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": group}}
    said = {str(s["Action"]): s for name, s in statements(stacks) if name == role}
    assert set(said) == {"ecs:RunTask", "iam:PassRole", "kms:Decrypt"}
    for run in SCHEDULED:
        assert f":task-definition/{family(stacks, *run)}:*" in str(said["ecs:RunTask"]["Resource"])
    assert "ecs:cluster" in said["ecs:RunTask"]["Condition"]["ArnEquals"]
    assert said["iam:PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


@promise(
    any_end_is_well=setting(RULE, "EventPattern.detail.$or", [{"stopCode": ["TaskFailedToStart"]}]),
    to_nobody=setting(RULE, "Targets", []),
    switched_off=setting(RULE, "State", "DISABLED"),
    unheard=without(RULE),
    not_looked_at=setting("AWS::CloudWatch::Alarm", "Namespace", "AWS/Nothing"),
)
def test_people_hear_of_a_scheduled_task_that_failed_and_of_one_that_did_not_start(stacks: Stacks) -> None:
    names = {p["Name"] for p in stacks["Compute"].properties(RULE)}
    for run in SCHEDULED:
        assert f"{family(stacks, *run)}-failed" in names
        rule = _rule(stacks, f"{family(stacks, *run)}-failed")
        assert rule.get("State", "ENABLED") == "ENABLED"
        assert {"containers": {"exitCode": [{"anything-but": [0]}]}} in rule["EventPattern"]["detail"]["$or"]
        assert {"stopCode": ["TaskFailedToStart"]} in rule["EventPattern"]["detail"]["$or"]
        assert ["Alarms" in reference(target["Arn"]) for target in rule["Targets"]] == [True]
    dropped = [p for p in stacks.properties("AWS::CloudWatch::Alarm") if p.get("Namespace") == "AWS/Scheduler"]
    assert [alarm["MetricName"] for alarm in dropped] == ["InvocationDroppedCount"]
    groups = {p["Name"] for p in stacks.properties("AWS::Scheduler::ScheduleGroup")}
    assert {alarm["Dimensions"][0]["Value"] for alarm in dropped} == groups


@promise(
    only_those_that_fail=setting(RULE, "EventPattern.detail.$or", [{"containers": {"exitCode": [1]}}]),
    those_that_are_replaced_too=setting(RULE, "EventPattern.detail.$or", [{"stopCode": ["ServiceSchedulerInitiated"]}]),
    of_any_cluster=without(RULE, "EventPattern.detail.clusterArn"),
)
def test_a_service_task_counts_as_stopped_when_it_ends_by_itself_or_does_not_answer(stacks: Stacks) -> None:
    for name in SERVICES:
        pattern = _rule(stacks, f"{family(stacks, name)}-stopped")["EventPattern"]
        assert pattern["detail-type"] == ["ECS Task State Change"]
        detail = pattern["detail"]
        assert "Cluster" in reference(detail.get("clusterArn", [""])[0])
        (definition,) = detail["taskDefinitionArn"]
        assert definition["prefix"].endswith(f":task-definition/{family(stacks, name)}:")
        assert detail["$or"] == [
            {"stopCode": ["TaskFailedToStart"]},
            {"stopCode": ["EssentialContainerExited"]},
            {"stoppedReason": [{"prefix": "Task failed "}]},
        ]


def _all_at_once(stacks: Stacks) -> None:
    for resource in stacks["Compute"].resources(RUN).values():
        resource["DependsOn"] = []


@promise(all_at_once=_all_at_once)
def test_the_one_off_tasks_of_a_service_run_one_after_another_in_the_order_of_its_description(stacks: Stacks) -> None:
    """One may need what another makes: a database that is migrated, an epoch."""
    compute = stacks["Compute"].resources()
    runs = {
        compute[reference(resource["Properties"]["TaskDefinition"])]["Properties"]["Family"]: (name, resource)
        for name, resource in stacks["Compute"].resources(RUN).items()
    }
    for name, described in SERVICES.items():
        in_order = [runs[family(stacks, name, task)] for task in described.tasks]
        for (before, _), (_, after) in pairwise(in_order):
            assert before in after.get("DependsOn", [])


@promise(
    not_at_first=setting(RUN, "When", "each"),
    not_each_time=setting(RUN, "When", "first"),
    for_ever=without(RUN, "ServiceTimeout"),
)
def test_tasks_for_each_deployment_run_each_time_and_scheduled_ones_at_first(stacks: Stacks) -> None:
    compute = stacks["Compute"].resources()
    runs = stacks.properties(RUN)
    whens = {compute[reference(run["TaskDefinition"])]["Properties"]["Family"]: run["When"] for run in runs}
    assert whens == {
        family(stacks, name, task): "each" if described.tasks[task].when == "deploy" else "first"
        for name, described in SERVICES.items()
        for task in described.tasks
    }
    assert {str(run.get("ServiceTimeout")) for run in runs} == {"3600"}
