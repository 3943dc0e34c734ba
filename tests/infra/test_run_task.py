"""The function that runs one-off tasks asks ECS for the right thing and reports failures.

ECS itself cannot run here: botocore's stubber holds the calls against the service's own description.
"""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from infra.compute.run_task import handler
from tests.infra.template import Json

CLUSTER = "sanctum-dev"
DEFINITION = "arn:aws:ecs:eu-west-1:111122223333:task-definition/sanctum-dev-backend-migrate:7"
TASK = "arn:aws:ecs:eu-west-1:111122223333:task/sanctum-dev/0123456789abcdef"


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """The client the function uses; answers what was added, and fails on anything else."""
    client = cast("Any", boto3).client(
        "ecs", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )

    def client_of(service: str) -> Any:
        assert service == "ecs"
        return client

    monkeypatch.setattr(boto3, "client", client_of)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _event(request: str, when: str = "each", **more: Any) -> Json:
    properties = {
        "Cluster": CLUSTER,
        "TaskDefinition": DEFINITION,
        "Subnets": ["subnet-1", "subnet-2"],
        "SecurityGroup": "sg-1",
        "When": when,
    }
    event = {"RequestType": request, "RequestId": "a-request", "LogicalResourceId": "MigrateRun"}
    return event | {"ResourceProperties": properties} | more


def _expect_run(ecs: Stubber, answer: Json) -> None:
    network = {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
    expected = {
        "cluster": CLUSTER,
        "taskDefinition": DEFINITION,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "clientToken": "a-request",
    }
    ecs.add_response("run_task", answer, expected)


def _expect_describe(ecs: Stubber, answer: Json) -> None:
    ecs.add_response("describe_tasks", answer, {"cluster": CLUSTER, "tasks": [TASK]})


@pytest.mark.parametrize(("request_type", "when"), [("Create", "each"), ("Update", "each"), ("Create", "first")])
def test_a_task_is_run_once_for_a_request(ecs: Stubber, request_type: str, when: str) -> None:
    _expect_run(ecs, {"tasks": [{"taskArn": TASK}], "failures": []})
    assert handler.start(_event(request_type, when), None) == {
        "PhysicalResourceId": "MigrateRun",
        "Data": {"TaskArn": TASK},
    }


@pytest.mark.parametrize(("request_type", "when"), [("Delete", "each"), ("Delete", "first"), ("Update", "first")])
@pytest.mark.usefixtures("ecs")
def test_nothing_is_run_when_a_stack_goes_or_after_the_first_time(request_type: str, when: str) -> None:
    event = _event(request_type, when)
    answer = handler.start(event, None)
    assert answer == {"PhysicalResourceId": "MigrateRun"}
    assert handler.is_done(event | answer, None) == {"IsComplete": True}


def test_a_task_that_ecs_would_not_start_fails_the_deployment(ecs: Stubber) -> None:
    _expect_run(ecs, {"tasks": [], "failures": [{"reason": "RESOURCE:CPU"}]})
    with pytest.raises(handler.TaskFailed, match=r"backend-migrate:7 was not started: RESOURCE:CPU"):
        handler.start(_event("Create"), None)


def test_a_task_is_done_when_it_has_stopped_with_exit_code_0(ecs: Stubber) -> None:
    event = _event("Create", Data={"TaskArn": TASK})
    _expect_describe(ecs, {"tasks": [{"lastStatus": "RUNNING", "containers": [{}]}]})
    assert handler.is_done(event, None) == {"IsComplete": False}
    _expect_describe(ecs, {"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": 0}]}]})
    assert handler.is_done(event, None) == {"IsComplete": True}


FAILURES: list[tuple[Json, str]] = [
    ({"exitCode": 1}, r"ended with \[1\]"),
    ({}, r"ended with \[None\]"),  # never started: no image, no secret
]


@pytest.mark.parametrize(("container", "message"), FAILURES)
def test_a_task_that_ends_badly_fails_the_deployment(ecs: Stubber, container: Json, message: str) -> None:
    stopped = {"lastStatus": "STOPPED", "stoppedReason": "Essential container exited", "containers": [container]}
    _expect_describe(ecs, {"tasks": [stopped]})
    with pytest.raises(handler.TaskFailed, match=message):
        handler.is_done(_event("Create", Data={"TaskArn": TASK}), None)


def test_a_task_that_ecs_has_forgotten_fails_the_deployment(ecs: Stubber) -> None:
    _expect_describe(ecs, {"tasks": [], "failures": [{"reason": "MISSING"}]})
    with pytest.raises(handler.TaskFailed, match="MISSING"):
        handler.is_done(_event("Create", Data={"TaskArn": TASK}), None)
