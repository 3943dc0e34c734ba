"""Whatever names another account is told, wherever a template writes it."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.access.accounts import NAMES, named
from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write

HOME = "111122223333"
FOREIGN = "999988887777"


def found(folder: Path, value: Any) -> set[tuple[str, ...]]:
    resources = {"One": {"Type": "AWS::Some::Thing", "Properties": {"Inner": [{"Key": value}]}}}
    write(folder, {"stack": {"Resources": resources}}, account=HOME)
    return {fact.values for model in read_models(folder) for fact in named(model)}


@pytest.mark.parametrize(
    "value",
    [
        FOREIGN,
        f"arn:aws:lambda:us-east-1:{FOREIGN}:layer:x:1",
        f"arn:aws:iam::{FOREIGN}:role/x",
        f"arn:aws:logs:*:{FOREIGN}:destination:x",
        f"{FOREIGN}.dkr.ecr.us-east-1.amazonaws.com/x:1",
        f'{{"Resource": "arn:aws:sqs:us-east-1:{FOREIGN}:x", "Own": "{HOME}"}}',
        f'{{"Account": "{FOREIGN}"}}',
        {"Fn::Join": [":", ["arn:aws:s3:us-east-1", FOREIGN, "accesspoint/x"]]},
    ],
)
def test_another_account_is_told(tmp_path: Path, value: Any) -> None:
    assert found(tmp_path, value) == {("AWS::Some::Thing One", NAMES, FOREIGN)}


@pytest.mark.parametrize(
    "value",
    [
        HOME,
        {"Ref": "AWS::AccountId"},
        {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"},
        "arn:aws:iam::aws:policy/AdministratorAccess",
        f"arn:aws:acm:us-east-1:{HOME}:certificate/11112222-3333-4444-5555-666677778888",
        "1234567890123",
        "a-key-of-999988887777-bytes",
    ],
)
def test_the_own_account_and_other_numbers_are_not(tmp_path: Path, value: Any) -> None:
    assert not found(tmp_path, value)
