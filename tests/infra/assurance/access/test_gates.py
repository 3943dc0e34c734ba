"""What an endpoint's policy lets through is told statement by statement; without one, that is everything."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.access.gates import LETS_THROUGH, let_through
from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write

ENDPOINT = "AWS::EC2::VPCEndpoint"


def found(folder: Path, **policy: Any) -> set[str]:
    resources = {"One": {"Type": ENDPOINT, "Properties": {"ServiceName": "com.amazonaws.us-east-1.s3", **policy}}}
    write(folder, {"stack": {"Resources": resources}})
    (model,) = read_models(folder)
    facts = let_through(model)
    assert not list(model.refusals)
    assert {fact.values[:2] for fact in facts} <= {(f"{ENDPOINT} One", LETS_THROUGH)}
    return {fact.values[2] for fact in facts}


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", **more}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (statement(Action="*", Resource="*"), {"* on *"}),
        (
            statement(Action=["s3:Put*", "s3:Get*"], Resource="arn:aws:s3:::x/*"),
            {"s3:get*, s3:put* on arn:aws:s3:::x/*"},
        ),
        (statement(NotAction="s3:Get*", Resource="*"), {"all but s3:get* on *"}),
        (statement(Action="s3:*", NotResource="arn:aws:s3:::x"), {"s3:* on all but arn:aws:s3:::x"}),
        (statement("Deny", Action="*", Resource="*"), set[str]()),
    ],
)
def test_each_statement_that_allows_something_is_told(tmp_path: Path, given: dict[str, Any], said: set[str]) -> None:
    assert found(tmp_path, PolicyDocument={"Version": "2012-10-17", "Statement": given}) == said


def test_a_condition_is_told(tmp_path: Path) -> None:
    condition = {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
    given = statement(Action="s3:*", Resource="*", Condition=condition)
    (said,) = found(tmp_path, PolicyDocument={"Statement": [given]})
    assert said.startswith("s3:* on * if StringEquals")
    assert "111122223333" in said


def test_without_a_policy_everything_is_let_through(tmp_path: Path) -> None:
    assert found(tmp_path) == {"* on *"}
