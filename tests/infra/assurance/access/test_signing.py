"""What is signed as it is pushed is told, and everybody who may sign."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.access.signing import signing
from infra.assurance.model.model import read_models
from tests.infra.assurance.access.asked import Resources, allow, arn, asked, policy, role
from tests.infra.assurance.assembly import write

PROFILE: Resources = {"Type": "AWS::Signer::SigningProfile", "Properties": {"PlatformId": "Notation-OCI-SHA384-ECDSA"}}


def _told(folder: Path, **resources: Any) -> set[tuple[str, ...]]:
    write(folder, {"stack": {"Resources": {"Profile": PROFILE, **resources}}})
    (model,) = read_models(folder)
    found = {fact.values[1:] for fact in signing(model)}
    assert not list(model.refusals)
    return found


@pytest.mark.parametrize(
    ("filters", "repositories"),
    [([{"Filter": "ours", "FilterType": "WILDCARD_MATCH"}], {"ours"}), ([], {"*"}), (None, {"*"})],
)
def test_the_repositories_are_told_and_without_a_filter_that_is_all(
    tmp_path: Path, filters: Any, repositories: set[str]
) -> None:
    rule = {"SigningProfileArn": arn("Profile")} | ({} if filters is None else {"RepositoryFilters": filters})
    configuration = {"Type": "AWS::ECR::SigningConfiguration", "Properties": {"Rules": [rule]}}
    assert _told(tmp_path, C=configuration) == {("signs what is pushed to", name) for name in repositories}


OTHER = "arn:aws:signer:us-east-1:111122223333:/signing-profiles/other"


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        (allow("signer:SignPayload", arn("Profile")), True),
        (allow("signer:*"), True),
        (allow("signer:SignPayload", "arn:aws:signer:*:111122223333:/signing-profiles/*"), True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "Action": "signer:SignPayload", "NotResource": OTHER}, True),
        (allow("signer:SignPayload", OTHER), False),
        (allow("signer:GetSigningProfile"), False),
        ({"Effect": "Deny", "Action": "signer:*", "Resource": "*"}, False),
    ],
)
def test_a_role_that_may_sign_is_told(tmp_path: Path, statement: Resources, *, may: bool) -> None:
    assert bool(_told(tmp_path, Role=role(statement))) == may


def test_a_role_that_no_template_has_is_told_by_its_arn(tmp_path: Path) -> None:
    document = policy(allow("signer:SignPayload", arn("Profile")))
    given = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {"RoleName": "pushes", "PolicyName": "p", "PolicyDocument": document},
    }
    assert _told(tmp_path, P=given) == {("signed with by", "role arn:aws:iam::111122223333:role/pushes")}


def test_a_profile_that_lets_another_account_sign_is_refused_by_name(tmp_path: Path) -> None:
    shared = {"Action": "signer:SignPayload", "Principal": "999988887777", "ProfileName": "p", "StatementId": "s"}
    answer = asked(tmp_path, {"P": PROFILE, "Shared": {"Type": "AWS::Signer::ProfilePermission", "Properties": shared}})
    assert any("AWS::Signer::ProfilePermission" in line for line in answer.refused)
