"""Back to the release before, by one command and without the pipeline: no further, and not in the dark."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.delivery.credentials import in_account
from infra.delivery.release import TAKEN_BACK, CannotGoBack, Step, copy_of
from infra.delivery.rollback import BACK, NOT_BACK, NOTHING_DONE, Rollback, main
from infra.preflight.aws import Aws
from tests.infra.delivery.released import ARN, PROD, REPOSITORY, UPDATED, Cloud, Json, definition
from tests.infra.preflight.recorded import RecordedSession
from tests.support.aws import with_credentials


def _back(cloud: Cloud, *, consent: bool = True, said: list[str] | None = None) -> int:
    aws = in_account(PROD.account, RecordedSession(cloud.answers()))  # pyright: ignore[reportArgumentType]  # stands for it
    time = itertools.count(step=600)

    def ask(plan: str) -> bool:
        if said is not None:
            said.append(plan)
        return consent

    return Rollback(environment=PROD, aws=aws, ask=ask, wait=lambda _: None, clock=lambda: next(time)).run()


def test_what_the_last_deployment_changed_gets_the_definition_it_had_before() -> None:
    cloud, said = Cloud(), list[str]()
    assert _back(cloud, said=said) == BACK
    assert "  sanctum-prod-backend: from sanctum-prod-backend:9 to sanctum-prod-backend:7" in said[0]
    assert "ai-core" not in said[0]
    (_, registered), (_, updated) = cloud.done
    assert registered["containerDefinitions"][0]["image"].endswith(":sanctum-prod-backend-7")
    assert set(registered) == {"family", "cpu", "containerDefinitions", "tags"}
    assert registered["tags"] == [{"key": TAKEN_BACK, "value": definition("backend:9")}]
    assert updated == {
        "cluster": "sanctum-prod",
        "service": "backend",
        "taskDefinition": f"{ARN}:task-definition/sanctum-prod-backend:100",
    }


def test_who_calls_goes_back_before_who_is_called() -> None:
    cloud = Cloud()
    cloud.services["ai_core"].insert(0, (UPDATED + timedelta(minutes=1), "SUCCESSFUL", definition("ai-core:5")))
    assert _back(cloud) == BACK
    assert [asked["service"] for what, asked in cloud.done if what == "update"] == ["backend", "ai_core"]


def test_a_service_that_went_back_before_an_earlier_deployment_does_not_hold_the_others_up() -> None:
    cloud = Cloud(tags={definition("ai-core:4"): {"key": TAKEN_BACK, "value": definition("ai-core:3")}})
    assert _back(cloud) == BACK
    assert [asked["service"] for what, asked in cloud.done if what == "update"] == ["backend"]


def test_nothing_is_done_without_consent() -> None:
    cloud = Cloud()
    assert _back(cloud, consent=False) == NOTHING_DONE
    cancelled = Cloud(status=["UPDATE_IN_PROGRESS"])
    assert _back(cancelled, consent=False) == NOTHING_DONE
    assert cloud.done + cancelled.done == []


def test_a_release_that_does_not_come_up_leaves_the_next_service_alone() -> None:
    cloud = Cloud(ends="ROLLBACK_SUCCESSFUL")
    cloud.services["ai_core"].insert(0, (UPDATED + timedelta(minutes=1), "SUCCESSFUL", definition("ai-core:5")))
    assert _back(cloud) == NOT_BACK
    assert [asked["service"] for what, asked in cloud.done if what == "update"] == ["backend"]


def test_patience_ends() -> None:
    assert _back(Cloud(ends="IN_PROGRESS")) == NOT_BACK


def test_an_update_under_way_is_given_up_by_cloudformation() -> None:
    way = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    cloud = Cloud(status=[*way])
    assert _back(cloud) == BACK
    assert cloud.done == [("cancel", {"StackName": "prod-Compute"})]
    assert _back(Cloud(status=[*way[:2], "UPDATE_ROLLBACK_FAILED"])) == NOT_BACK


def test_a_way_back_that_failed_is_gone_on_with() -> None:
    cloud = Cloud(status=["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])
    assert _back(cloud) == BACK
    assert cloud.done == [("continue", {"StackName": "prod-Compute"})]


def _taken_back() -> Cloud:
    return Cloud(tags={definition("backend:9"): {"key": TAKEN_BACK, "value": definition("backend:8")}})


def _first() -> Cloud:
    cloud = Cloud()
    cloud.services["backend"] = cloud.services["backend"][:2]
    return cloud


def _unchanged() -> Cloud:
    cloud = Cloud()
    cloud.services["backend"] = cloud.services["backend"][1:]
    return cloud


def _under_way() -> Cloud:
    cloud = Cloud()
    cloud.services["ai_core"].insert(0, (UPDATED, "IN_PROGRESS", definition("ai-core:5")))
    return cloud


@pytest.mark.parametrize(
    ("cloud", "why"),
    [
        (Cloud(status=["UPDATE_ROLLBACK_COMPLETE"]), "one further back would not know the schema"),
        (Cloud(status=["CREATE_IN_PROGRESS"]), "prod-Compute is CREATE_IN_PROGRESS: wait"),
        (Cloud(status=["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]), "CLEANUP_IN_PROGRESS: wait"),
        (_taken_back(), "is back already, from sanctum-prod-backend:8: a release further back would not know"),
        (_first(), "backend has no release before this one"),
        (_unchanged(), "the last deployment of prod-Compute, of 2026-11-20 12:00 UTC, changed no service"),
        (_under_way(), "a deployment of ai_core is IN_PROGRESS: wait"),
        (Cloud(images=False), "sanctum-prod-backend-7 is gone: deploy the earlier commit anew"),
    ],
    ids=["back by itself", "being made", "tidying up", "back", "first", "no service", "deploying", "no image"],
)
def test_it_says_why_it_does_not_go_back_and_changes_nothing(cloud: Cloud, why: str) -> None:
    with pytest.raises(CannotGoBack, match=why):
        _back(cloud)
    assert cloud.done == []


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An account of moto's."""
    with_credentials(monkeypatch)
    with mock_aws():
        yield Aws(PROD.account.region, boto3.Session())


def test_a_revision_that_was_taken_back_is_copied_with_all_that_it_says(aws: Aws) -> None:
    ecs: Any = aws.client("ecs")
    said: Json = {
        "family": "sanctum-prod-backend",
        "cpu": "512",
        "memory": "1024",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": "arn:aws:iam::777788889999:role/execution",
        "taskRoleArn": "arn:aws:iam::777788889999:role/task",
        "volumes": [{"name": "tmp"}],
        "containerDefinitions": [
            {
                "name": "backend",
                "image": f"777788889999.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:abc",
                "readonlyRootFilesystem": True,
                "environment": [{"name": "LOG_LEVEL", "value": "INFO"}],
            }
        ],
    }
    old = ecs.register_task_definition(**said)["taskDefinition"]["taskDefinitionArn"]
    ecs.deregister_task_definition(taskDefinition=old)
    ecr: Any = aws.client("ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    with pytest.raises(CannotGoBack, match="is gone"):
        copy_of(aws, Step("backend", "sanctum-prod-backend", "current", old))
    manifest = (
        '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {}, "layers": []}'
    )
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag="abc")
    copied = copy_of(aws, Step("backend", "sanctum-prod-backend", "current", old))
    assert copied != old
    found = ecs.describe_task_definition(taskDefinition=copied, include=["TAGS"])
    assert found["taskDefinition"]["status"] == "ACTIVE"
    assert found["tags"] == [{"key": TAKEN_BACK, "value": "current"}]
    assert {key: found["taskDefinition"][key] for key in said if key != "containerDefinitions"} == {
        key: value for key, value in said.items() if key != "containerDefinitions"
    }
    (container,) = found["taskDefinition"]["containerDefinitions"]
    assert said["containerDefinitions"][0].items() <= container.items()


def test_the_command_touches_nothing_with_the_credentials_of_another_account(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aws
    assert main(["prod", "--yes"]) == NOTHING_DONE
    assert f"the environment is in {PROD.account.id}" in capsys.readouterr().err
