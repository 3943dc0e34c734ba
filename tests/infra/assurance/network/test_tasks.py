"""A one-off task is a node, whoever runs it: it wears the groups and lies in the subnets it is run with."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.network.templates import VPC, Resources, graph, group, interface, node, route, rule, subnet

OUT = [rule("tcp", 5432, DestinationSecurityGroupId={"Ref": "Store"})]
IN = [rule("tcp", 5432, SourceSecurityGroupId={"Ref": "Own"})]
DATA = node("Data")
TASK = "AWS::ECS::TaskDefinition Task"
PLACE: Resources = (
    VPC
    | subnet("Here")
    | route("Here")
    | group("Own", [rule("tcp", 80, CidrIp="0.0.0.0/0")], OUT)
    | group("Store", IN)
    | interface("Data", "Here", "Store")
    | {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Family": "nightly"}}}
)
ARN = {"Ref": "Task"}
SUBNETS = [{"Ref": "Here"}]
GROUPS = [{"Fn::GetAtt": ["Own", "GroupId"]}]


def network(key: str = "AwsvpcConfiguration", public: str = "DISABLED") -> dict[str, Any]:
    return {key: {"Subnets": SUBNETS, "SecurityGroups": GROUPS, "AssignPublicIp": public}}


def run(type_: str, **properties: Any) -> Resources:
    return {"Run": {"Type": type_, "Properties": properties}}


STATES = {
    "StartAt": "Do",
    "States": {"Do": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}},
}


def state_machine(definition: Any, **parameters: Any) -> Any:
    """A state machine's definition as a text, in which names are still to be filled in."""
    states = json.loads(json.dumps(STATES))
    states["States"]["Do"]["Parameters"] = {"TaskDefinition": definition, **parameters}
    return states


SUBSTITUTED = json.dumps(
    state_machine(
        "${Task}",
        NetworkConfiguration={"AwsvpcConfiguration": {"Subnets": ["${Here}"], "SecurityGroups": ["${Own.GroupId}"]}},
    )
)
VARIABLES = {"TASK": ARN, "SUBNETS": {"Fn::Join": [",", SUBNETS]}, "GROUP": GROUPS[0]}


@pytest.mark.parametrize(
    "runner",
    [
        run("AWS::Events::Rule", Targets=[{"Id": "t", "Arn": "c", "EcsParameters": {
            "TaskDefinitionArn": ARN, "NetworkConfiguration": network("AwsVpcConfiguration")}}]),
        run("AWS::Scheduler::Schedule", Target={"Arn": "c", "EcsParameters": {
            "TaskDefinitionArn": ARN, "NetworkConfiguration": network()}}),
        run("AWS::Pipes::Pipe", TargetParameters={"EcsTaskParameters": {
            "TaskDefinitionArn": ARN, "NetworkConfiguration": network()}}),
        run("AWS::StepFunctions::StateMachine", DefinitionString={"Fn::Sub": SUBSTITUTED}),
        run("AWS::StepFunctions::StateMachine", Definition=state_machine("nightly", NetworkConfiguration=network())),
        run("AWS::StepFunctions::StateMachine", Definition=state_machine("nightly:3", NetworkConfiguration=network())),
        run("Custom::RunTask", TaskDefinition=ARN, Subnets=SUBNETS, SecurityGroup=GROUPS[0]),
        run("AWS::CloudFormation::CustomResource", Parameters={"taskDefinition": "nightly", "x": [*SUBNETS, *GROUPS]}),
        run("AWS::Lambda::Function", Environment={"Variables": VARIABLES}),
    ],
)  # fmt: skip
def test_whatever_runs_a_task_puts_it_into_the_graph(tmp_path: Path, runner: Resources) -> None:
    shown = graph(tmp_path, PLACE | runner)
    assert shown.edges[TASK, DATA] == "tcp 5432"
    assert shown.edges["internet (groups only)", TASK] == "tcp 80"
    assert not shown.refusals


def test_a_run_with_a_public_address_is_reached(tmp_path: Path) -> None:
    parameters = {"TaskDefinitionArn": ARN, "NetworkConfiguration": network(public="ENABLED")}
    runner = run("AWS::Scheduler::Schedule", Target={"Arn": "c", "EcsParameters": parameters})
    assert graph(tmp_path, PLACE | runner).edges["internet", TASK] == "tcp 80"


def test_a_run_without_groups_wears_the_default_group(tmp_path: Path) -> None:
    bare = {"TaskDefinitionArn": ARN, "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": SUBNETS}}}
    runner = run("AWS::Scheduler::Schedule", Target={"Arn": "c", "EcsParameters": bare})
    assert graph(tmp_path, PLACE | runner | interface("Other", "Here")).edges[TASK, node("Other")] == "all"


def test_a_task_definition_that_no_template_has_is_named_as_it_is(tmp_path: Path) -> None:
    runner = run("Custom::RunTask", TaskDefinition="elsewhere:7", Subnets=SUBNETS, SecurityGroups=GROUPS)
    assert graph(tmp_path, PLACE | runner).edges["task elsewhere:7", DATA] == "tcp 5432"


def test_who_only_may_run_a_task_runs_none(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": ARN}
    policy = run("AWS::IAM::ManagedPolicy", PolicyDocument={"Statement": [statement]})
    assert not [pair for pair in graph(tmp_path, PLACE | policy).edges if TASK in pair]
