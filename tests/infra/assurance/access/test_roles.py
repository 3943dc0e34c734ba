"""Who takes up a role, who hands one on, and what they have by it."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Answer, allow, arn, asked, policy, role
from tests.infra.assurance.assembly import write

ECS = "service ecs-tasks.amazonaws.com"
ASSUME = "sts:AssumeRole"
HOME_ROOT = {"AWS": f"arn:aws:iam::{HOME}:root"}


@pytest.mark.parametrize(
    ("trusts", "who"),
    [
        ({"Service": "lambda.amazonaws.com"}, "service lambda.amazonaws.com"),
        ({"AWS": FOREIGN}, f"account {FOREIGN}"),
        ({"AWS": [f"arn:aws:iam::{FOREIGN}:user/them"]}, f"user arn:aws:iam::{FOREIGN}:user/them"),
        ("*", "anyone"),
        (HOME_ROOT, f"account {HOME}"),
    ],
)
def test_whom_a_role_trusts_takes_it_up(tmp_path: Path, trusts: Any, who: str) -> None:
    assert (who, "Role") in asked(tmp_path, {"Role": role(trusts=trusts)}).of(Relation.ASSUMES)


def test_who_is_trusted_by_account_needs_leave_of_their_own(tmp_path: Path) -> None:
    answer = asked(
        tmp_path,
        {
            "Role": role(trusts=HOME_ROOT),
            "May": role(allow(ASSUME, arn("Role"))),
            "Other": role(),
            "Elsewhere": role(allow(ASSUME, "arn:aws:iam::999988887777:role/theirs")),
        },
    )
    assert {row for row in answer.of(Relation.ASSUMES) if row[0] != ECS} == {
        (f"account {HOME}", "Role"),
        ("May", "Role"),
        ("Elsewhere", "role arn:aws:iam::999988887777:role/theirs"),
    }


def test_who_comes_with_a_token_is_told_with_the_conditions(tmp_path: Path) -> None:
    provider = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://token.example"}}
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": {"Ref": "Provider"}},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"token.example:sub": "repo:shop/*"}},
    }
    by_token = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy(trust)}}
    (row,) = asked(tmp_path, {"Provider": provider, "Role": by_token}).of(Relation.ASSUMES)
    assert row == ("federated AWS::IAM::OIDCProvider Provider if StringLike token.example:sub repo:shop/*", "Role")


def test_who_may_rewrite_a_trust_policy_admits_themselves(tmp_path: Path) -> None:
    answer = asked(
        tmp_path, {"Role": role(allow("s3:GetObject")), "Writer": role(allow("iam:UpdateAssumeRole*", arn("Role")))}
    )
    assert ("Writer", "Role") in answer.of(Relation.ASSUMES)
    assert ("Writer", "may give rights") in {row[:2] for row in answer.of(Relation.POSTURE)}


def test_what_a_role_has_its_takers_have(tmp_path: Path) -> None:
    answer = asked(
        tmp_path,
        {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Reader": role(allow("s3:GetObject"), trusts={"AWS": arn("Middle")}, RoleName="reader"),
            "Middle": role(trusts={"AWS": FOREIGN}),
        },
    )
    reads = {row[0] for row in answer.of(Relation.READS)}
    assert reads == {f"root of {HOME}", "Reader", "Middle", f"account {FOREIGN}"}
    path = answer.row(Relation.READS, f"account {FOREIGN}", "Bucket").path
    assert [f"account {FOREIGN} may" in path[0], "Middle may" in path[1], "Reader may s3:GetObject" in path[2]] == [
        True
    ] * 3
    assert (f"account {FOREIGN}", "Reader") in answer.of(Relation.ASSUMES)


def test_a_service_has_nothing_of_what_it_runs(tmp_path: Path) -> None:
    answer = asked(tmp_path, {"Bucket": {"Type": "AWS::S3::Bucket"}, "Reader": role(allow("s3:GetObject"))})
    assert ECS not in {row[0] for row in answer.of(Relation.READS)}


def test_roles_that_take_up_each_other_come_to_an_end(tmp_path: Path) -> None:
    answer = asked(
        tmp_path,
        {
            "One": role(trusts={"AWS": f"arn:aws:iam::{HOME}:role/two"}, RoleName="one"),
            "Two": role(trusts={"AWS": f"arn:aws:iam::{HOME}:role/one"}, RoleName="two"),
        },
    )
    assert answer.of(Relation.ASSUMES) == {("One", "Two"), ("Two", "One")}


def test_passing_says_what_the_role_is_started_with(tmp_path: Path) -> None:
    service = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    answer = asked(
        tmp_path,
        {"Role": role(), "Starter": role(allow("iam:PassRole", arn("Role"), Condition=service), allow("ecs:RunTask"))},
    )
    assert answer.of(Relation.PASSES) == {("Starter", "Role")}
    path = answer.row(Relation.PASSES, "Starter", "Role").path
    assert "iam:passedtoservice ecs-tasks.amazonaws.com" in path[0]
    assert path[1].endswith("may ecs:RunTask")


def test_roles_by_a_wildcard_are_all_that_it_covers(tmp_path: Path) -> None:
    answer = asked(tmp_path, {"Role": role(), "Starter": role(allow("iam:PassRole", f"arn:aws:iam::{HOME}:role/*"))})
    assert answer.of(Relation.PASSES) == {
        ("Starter", "Role"),
        ("Starter", "Starter"),
        ("Starter", f"role arn:aws:iam::{HOME}:role/*"),
    }


def test_a_role_of_another_environment_is_taken_up_across_accounts(tmp_path: Path) -> None:
    deploy = f"arn:aws:iam::{HOME}:role/deploy"
    target = {"Deploy": role(trusts={"AWS": f"arn:aws:iam::{FOREIGN}:root"}, RoleName="deploy")}
    write(tmp_path, {"target": {"Resources": target}}, account=HOME)
    pipeline = {"Pipeline": role(allow(ASSUME, deploy)), "Other": role()}
    write(tmp_path, {"pipeline": {"Resources": pipeline}}, account=FOREIGN)
    rows = {row for row in Answer(tmp_path).of(Relation.ASSUMES) if row[0] != ECS}
    assert rows == {("Pipeline", "Deploy"), (f"account {FOREIGN}", "Deploy")}
