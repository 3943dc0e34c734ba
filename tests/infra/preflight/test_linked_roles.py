"""Service-linked roles: nothing is made unless it is asked for, and what exists is no failure."""

import boto3
import pytest
from moto import mock_aws

from infra.preflight.answers import State
from infra.preflight.checks import linked_roles
from tests.infra.preflight.conftest import Ask, changed, inquiry
from tests.infra.preflight.recorded import Json, RecordedSession, Refused

PROD = changed("prod", {})
SERVICES = linked_roles.services(PROD)


def _roles(*services: str) -> Json:
    made = "2026-01-01T00:00:00Z"
    roles = [
        {
            "Path": f"/aws-service-role/{s}/",
            "RoleName": "r" * 8,
            "RoleId": "A" * 16,
            "Arn": "a" * 20,
            "CreateDate": made,
        }
        for s in services
    ]
    return {"iam.ListRoles": {"Roles": roles}}


def test_missing_roles_are_told_with_the_command_and_not_made(ask: Ask) -> None:
    answers = ask("Service-linked roles", _roles(*SERVICES[1:]))
    assert [answer.state for answer in answers] == [State.BAD, *[State.GOOD] * (len(SERVICES) - 1)]
    command = f"`aws iam create-service-linked-role --aws-service-name {SERVICES[0]}`"
    assert answers[0].remedy == f"{command}, or make preflight ENV=prod FIX=1"


def test_missing_roles_are_made_when_asked_for_and_waited_for() -> None:
    waited: list[float] = []
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        asked = inquiry(boto3.Session(), PROD, fix=True, wait=waited.append)
        first, again = list(linked_roles.ask(asked)), list(linked_roles.ask(asked))
    assert {answer.state for answer in first + again} == {State.GOOD}
    assert [answer.text.endswith("has got its role") for answer in first] == [True] * len(SERVICES)
    assert [answer.text.endswith("has its role") for answer in again] == [True] * len(SERVICES)
    assert waited == [30]


def test_a_role_that_somebody_makes_meanwhile_is_there() -> None:
    taken = Refused("InvalidInput: Service role name AWSServiceRoleForECS has been taken in this account")
    session = RecordedSession(_roles() | {"iam.CreateServiceLinkedRole": taken})
    answers = list(linked_roles.ask(inquiry(session, PROD, fix=True)))
    assert {answer.state for answer in answers} == {State.GOOD}
    assert sum(name == "iam.CreateServiceLinkedRole" for name, _ in session.asked) == len(SERVICES)
