"""A policy holds for whom it is attached to, from whichever side; what is not known is refused."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import HOME, Resources, allow, arn, asked, policy, role

READ = policy(allow("s3:GetObject"))
BUCKET: Resources = {"Bucket": {"Type": "AWS::S3::Bucket"}}
ROOT = f"root of {HOME}"


def readers(folder: Path, resources: Resources) -> set[str]:
    answer = asked(folder, {**BUCKET, **resources})
    assert not answer.refused
    return {row[0] for row in answer.of(Relation.READS)} - {ROOT}


def user(**properties: Any) -> Resources:
    return {"Type": "AWS::IAM::User", "Properties": properties}


def attached(type_: str, **properties: Any) -> Resources:
    return {"Type": f"AWS::IAM::{type_}", "Properties": {"PolicyDocument": READ, "PolicyName": "read", **properties}}


GROUP: Resources = {"Type": "AWS::IAM::Group"}


@pytest.mark.parametrize(
    ("resources", "who"),
    [
        ({"Role": role(), "P": attached("Policy", Roles=[{"Ref": "Role"}])}, {"Role"}),
        ({"Role": role(), "P": attached("RolePolicy", RoleName={"Ref": "Role"})}, {"Role"}),
        ({"Role": role(), "P": attached("ManagedPolicy", Roles=[{"Ref": "Role"}])}, {"Role"}),
        ({"Role": role(ManagedPolicyArns=[{"Ref": "P"}]), "P": attached("ManagedPolicy")}, {"Role"}),
        ({"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"])}, {"Role"}),
        ({"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"])}, {"Role"}),
        (
            {"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])},
            set[str](),
        ),
        ({"User": user(), "P": attached("UserPolicy", UserName={"Ref": "User"})}, {"User"}),
        ({"User": user(Groups=[{"Ref": "G"}]), "G": GROUP, "P": attached("Policy", Groups=[{"Ref": "G"}])}, {"User"}),
        (
            {
                "User": user(),
                "G": GROUP,
                "P": attached("GroupPolicy", GroupName={"Ref": "G"}),
                "In": {
                    "Type": "AWS::IAM::UserToGroupAddition",
                    "Properties": {"GroupName": {"Ref": "G"}, "Users": [{"Ref": "User"}]},
                },
            },
            {"User"},
        ),
        ({"P": attached("Policy", Roles=["by-hand"])}, {f"role arn:aws:iam::{HOME}:role/by-hand"}),
        ({"P": attached("ManagedPolicy")}, {"holder of AWS::IAM::ManagedPolicy P"}),
    ],
)
def test_a_policy_holds_for_whom_it_is_attached_to(tmp_path: Path, resources: Resources, who: set[str]) -> None:
    rows = readers(tmp_path, resources)
    assert rows == who or {row.rpartition(" ")[2] for row in rows} == {name.rpartition(" ")[2] for name in who}


@pytest.mark.parametrize(
    ("boundary", "reads"),
    [
        (allow("s3:*"), True),
        (allow("ec2:*"), False),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, False),
    ],
)
def test_a_boundary_limits_and_gives_nothing(tmp_path: Path, boundary: Resources, *, reads: bool) -> None:
    limit = {"ManagedPolicyName": "limit", "PolicyDocument": policy(boundary)}
    resources = {
        "Limit": {"Type": "AWS::IAM::ManagedPolicy", "Properties": limit},
        "Role": role(allow("s3:GetObject"), PermissionsBoundary=f"arn:aws:iam::{HOME}:policy/limit"),
        "Empty": role(PermissionsBoundary={"Ref": "Limit"}),
    }
    assert readers(tmp_path, resources) == ({"Role"} if reads else set())


def test_a_boundary_that_no_template_has_is_taken_as_none(tmp_path: Path) -> None:
    bounded = role(allow("s3:GetObject"), PermissionsBoundary=f"arn:aws:iam::{HOME}:policy/elsewhere")
    assert readers(tmp_path, {"Role": bounded}) == {"Role"}


@pytest.mark.parametrize("name", ["arn:aws:iam::aws:policy/NeverHeardOf", f"arn:aws:iam::{HOME}:policy/by-hand"])
def test_a_managed_policy_without_a_text_is_refused_and_the_rest_goes_on(tmp_path: Path, name: str) -> None:
    answer = asked(tmp_path, {**BUCKET, "Role": role(allow("s3:GetObject"), ManagedPolicyArns=[name])})
    (refused,) = answer.refused
    assert name in refused
    assert "AWS::IAM::Role Role" in refused
    assert ("Role", "Bucket") in answer.of(Relation.READS)


@pytest.mark.parametrize(
    "broken",
    [
        {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": "no JSON"}},
        {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": READ, "Policies": ["?"]}},
        {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [{"Effect": "Perhaps"}]}}},
        {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": "yes"}},
        {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [1]}},
        {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Secrets": [{"Name": "A"}]}]}},
        {"Type": "AWS::RDS::DBProxy", "Properties": {"Auth": ["?"]}},
        {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": "fn", "Principal": 7}},
    ],
)
def test_what_is_malformed_is_refused_by_name(tmp_path: Path, broken: Resources) -> None:
    function: Resources = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "fn"}}
    answer = asked(tmp_path, {**BUCKET, "Fn": function, "Broken": broken, "Role": role(allow("s3:GetObject"))})
    assert any("Broken" in refused for refused in answer.refused)
    assert ("Role", "Bucket") in answer.of(Relation.READS)


@pytest.mark.parametrize(
    "given",
    [
        {"Type": "AWS::RAM::ResourceShare"},
        {"Type": "AWS::SSO::PermissionSet"},
        {"Type": "AWS::IAM::Oracle"},
        {"Type": "AWS::New::Store", "Properties": {"ResourcePolicy": policy(allow("*", Principal="*"))}},
    ],
)
def test_what_gives_access_without_a_model_is_refused(tmp_path: Path, given: Resources) -> None:
    (refused,) = asked(tmp_path, {"Given": given}).refused
    assert f"{given['Type']} Given" in refused


def test_a_policy_for_services_alone_is_no_mystery(tmp_path: Path) -> None:
    service = allow("logs:PutLogEvents", Principal={"Service": "es.amazonaws.com"})
    given = {
        "Type": "AWS::Logs::ResourcePolicy",
        "Properties": {"PolicyDocument": f'{{"Statement": {_json(service)}}}'},
    }
    assert not asked(tmp_path, {"Given": given, "Unused": role(allow("s3:GetObject", arn("Given")))}).refused


def _json(value: Any) -> str:
    return str(value).replace("'", '"')


def test_tags_that_a_session_may_bring_are_not_known(tmp_path: Path) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "shelf"}}
    reader = role(allow("s3:GetObject", Condition=tagged), Tags=[{"Key": "team", "Value": "till"}])
    assert readers(tmp_path / "fixed", {"Role": reader}) == set()
    trust = reader["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    assert readers(tmp_path / "free", {"Role": reader}) == {"Role"}
