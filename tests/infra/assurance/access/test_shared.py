"""Whoever a policy names from another account is told, whatever else it takes to get in."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.access.shared import SHARED, shared
from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write

HOME = "111122223333"
FOREIGN = "999988887777"
QUEUE = "AWS::SQS::Queue Queue"


def shares(folder: Path, **resources: Any) -> set[tuple[str, ...]]:
    write(folder, {"stack": {"Resources": resources}}, account=HOME)
    return {fact.values for model in read_models(folder) for fact in shared(model)}


def queue_policy(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": principal, "Action": "sqs:*", "Resource": "*", **more}
    return {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [statement]}},
        },
    }


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ({"AWS": FOREIGN}, f"account {FOREIGN}"),
        ({"AWS": [f"arn:aws:iam::{FOREIGN}:root"]}, f"account {FOREIGN}"),
        ({"AWS": f"arn:aws-cn:iam::{FOREIGN}:role/path/reader"}, f"arn:aws-cn:iam::{FOREIGN}:role/path/reader"),
        ({"AWS": f"arn:aws:sts::{FOREIGN}:assumed-role/a/b"}, f"arn:aws:sts::{FOREIGN}:assumed-role/a/b"),
    ],
)
def test_another_account_is_told(tmp_path: Path, principal: Any, name: str) -> None:
    assert shares(tmp_path, **queue_policy(principal)) == {(QUEUE, SHARED, name)}


@pytest.mark.parametrize(
    "principal",
    [{"AWS": HOME}, {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}, {"Service": "logs.amazonaws.com"}],
)
def test_services_and_the_own_account_are_others_facts(tmp_path: Path, principal: Any) -> None:
    assert not shares(tmp_path, **queue_policy(principal))


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [HOME, "*"]}])
@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/r"}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": HOME}},
        {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    ],
)
def test_what_lets_in_everybody_is_told_whatever_else_denies_them(
    tmp_path: Path, principal: Any, condition: dict[str, Any]
) -> None:
    assert shares(tmp_path, **queue_policy(principal, Condition=condition)) == {(QUEUE, SHARED, "anyone")}


def test_all_but_somebody_are_everybody(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": FOREIGN}, "Action": "sqs:*", "Resource": "*"}
    policies = queue_policy("*")
    policies["Policy"]["Properties"]["PolicyDocument"]["Statement"] = [statement]
    assert shares(tmp_path, **policies) == {(QUEUE, SHARED, "anyone")}


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"AWS:SourceOwner": HOME}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"kms:CallerAccount": HOME}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{HOME}"}},
    ],
)
def test_a_condition_picks_some_of_everybody(tmp_path: Path, condition: dict[str, Any]) -> None:
    assert not shares(tmp_path, **queue_policy("*", Condition=condition))


def test_who_is_denied_is_not_let_in(tmp_path: Path) -> None:
    assert not shares(tmp_path, **queue_policy({"AWS": FOREIGN}, "Deny"))


def test_policies_that_are_texts_or_no_documents_are_read(tmp_path: Path) -> None:
    text = f'{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{FOREIGN}"}}, "Action": "*"}}}}'
    found = shares(
        tmp_path,
        Vault={"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "v", "AccessPolicy": text}},
        Function={"Type": "AWS::Lambda::Function", "Properties": {}},
        Permission={
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": {"Ref": "Function"}, "Principal": FOREIGN, "Action": "lambda:*"},
        },
        Share={"Type": "AWS::RAM::ResourceShare", "Properties": {"Name": "s", "Principals": [FOREIGN, HOME]}},
    )
    names = ("AWS::Backup::BackupVault Vault", "AWS::Lambda::Function Function", "AWS::RAM::ResourceShare Share")
    assert found == {(name, SHARED, f"account {FOREIGN}") for name in names}
