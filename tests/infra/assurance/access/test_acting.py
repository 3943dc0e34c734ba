"""As whom everything acts, what limits it, and which services act for anybody."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, key, policy, role


def told(folder: Path, resources: Resources, *qualities: str) -> set[tuple[str, ...]]:
    return asked(folder, resources).told(*qualities)


PROFILE = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}}


@pytest.mark.parametrize(
    "given",
    [
        {"Type": "AWS::Lambda::Function", "Properties": {"Role": arn("Role")}},
        {"Type": "AWS::ECS::TaskDefinition", "Properties": {"TaskRoleArn": arn("Role")}},
        {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "a", "RoleArn": arn("Role")}]}},
        {"Type": "AWS::New::Program", "Properties": {"Settings": {"RunsAs": arn("Role")}}},
        {"Type": "AWS::EC2::Instance", "Properties": {"IamInstanceProfile": {"Ref": "Profile"}}},
        {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"IamInstanceProfile": {"Arn": arn("Profile")}}},
        },
    ],
)
def test_whatever_is_given_a_role_acts_as_it(tmp_path: Path, given: Resources) -> None:
    rows = told(tmp_path, {"Given": given, "Role": role(), "Profile": PROFILE}, "role")
    assert rows == {("Given", "role", "Role")}


def test_a_role_that_no_template_makes_is_told_by_arn(tmp_path: Path) -> None:
    elsewhere = f"arn:aws:iam::{HOME}:role/by-hand"
    given = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": elsewhere}}
    assert told(tmp_path, {"Given": given}, "role", "execution role") == {
        ("Given", "execution role", f"role {elsewhere}")
    }


def test_a_policy_only_names_roles(tmp_path: Path) -> None:
    named = allow("s3:GetObject", "arn:aws:s3:::shelf/*", Principal={"AWS": arn("Role")})
    attached = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy(named)}
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": attached},
        "Key": key(allow("kms:Decrypt", Principal={"AWS": arn("Role")})),
        "Role": role(),
    }
    assert not told(tmp_path, resources, "role")


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ({}, "none"),
        ({"PermissionsBoundary": f"arn:aws:iam::{HOME}:policy/limit"}, f"arn:aws:iam::{HOME}:policy/limit"),
    ],
)
def test_what_limits_a_role_is_told(tmp_path: Path, limit: Resources, value: str) -> None:
    assert told(tmp_path, {"Role": role(**limit)}, "limited by") == {("Role", "limited by", value)}


@pytest.mark.parametrize(
    ("condition", "anybody"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": HOME}}, False),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{HOME}:*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_a_service_without_a_word_of_whom_acts_for_anybody(tmp_path: Path, condition: Any, *, anybody: bool) -> None:
    service = {"Service": "sns.amazonaws.com"}
    resources = {
        "Key": key(
            allow("kms:Decrypt", Principal=service, Condition=condition), allow("kms:*", Principal={"AWS": FOREIGN})
        )
    }
    expected = {("Key", "acts for anybody", "service sns.amazonaws.com")} if anybody else set[tuple[str, ...]]()
    assert told(tmp_path, resources, "acts for anybody") == expected


def test_who_says_to_which_service_a_role_goes_is_not_told(tmp_path: Path) -> None:
    service = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    resources = {
        "Role": role(),
        "Free": role(allow("iam:PassRole", arn("Role"))),
        "Bound": role(allow("iam:PassRole", arn("Role"), Condition=service)),
    }
    rows = told(tmp_path, resources, "handed to any service by")
    assert rows == {("Role", "handed to any service by", "Free")}


def test_statements_come_through_the_data_api(tmp_path: Path) -> None:
    cluster = {"Type": "AWS::RDS::DBCluster", "Properties": {"EnableHttpEndpoint": True}}
    answer = asked(tmp_path, {"Cluster": cluster, "Asker": role(allow("rds-data:*"))})
    assert ("Asker", "Cluster", "that of a secret, through the Data API") in answer.of(Relation.CONNECTS)
