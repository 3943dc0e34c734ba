"""Who may do what with a key is what its policy admits, or leaves to its account's own policies."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, key, policy, role

ROOT = f"root of {HOME}"


def uses(folder: Path, resources: Resources) -> set[tuple[str, ...]]:
    return {row for row in asked(folder, resources).of(Relation.USES_KEY) if row[0] != ROOT}


@pytest.mark.parametrize(
    ("action", "use"),
    [
        ("kms:Decrypt", "decrypt"),
        ("kms:ReEncrypt*", "decrypt"),
        ("kms:ReEncrypt*", "encrypt"),
        ("kms:GenerateDataKey", "encrypt"),
        ("kms:CreateGrant", "grant"),
        ("kms:PutKeyPolicy", "administer"),
        ("kms:Schedule*", "administer"),
    ],
)
def test_any_action_of_a_use_is_the_use(tmp_path: Path, action: str, use: str) -> None:
    assert ("Role", "Key", use) in uses(tmp_path, {"Key": key(), "Role": role(allow(action, arn("Key")))})


def test_a_key_that_does_not_leave_it_to_its_account_admits_whom_it_names(tmp_path: Path) -> None:
    named = allow("kms:Decrypt", Principal={"AWS": arn("Named")})
    own = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(named)}}
    resources = {"Key": own, "Named": role(), "Other": role(allow("kms:*", arn("Key")))}
    answer = asked(tmp_path, resources)
    assert answer.of(Relation.USES_KEY) == {("Named", "Key", "decrypt")}


def test_a_key_without_a_policy_is_its_accounts(tmp_path: Path) -> None:
    resources = {"Key": {"Type": "AWS::KMS::Key"}, "Role": role(allow("kms:Encrypt"))}
    assert uses(tmp_path, resources) == {("Role", "Key", "encrypt")}


def test_a_use_through_services_only_says_through_which(tmp_path: Path) -> None:
    condition = {"StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com", "rds.us-east-1.amazonaws.com"]}}
    resources = {"Key": key(), "Role": role(allow("kms:Decrypt", arn("Key"), Condition=condition))}
    assert uses(tmp_path, resources) == {
        ("Role", "Key", "decrypt via s3.us-east-1.amazonaws.com"),
        ("Role", "Key", "decrypt via rds.us-east-1.amazonaws.com"),
    }


@pytest.mark.parametrize(
    ("principal", "who"),
    [
        ("*", "anyone"),
        ({"AWS": "*"}, "anyone"),
        ({"AWS": FOREIGN}, f"account {FOREIGN}"),
        ({"AWS": f"arn:aws:iam::{FOREIGN}:role/theirs"}, f"role arn:aws:iam::{FOREIGN}:role/theirs"),
        ({"AWS": f"arn:aws:sts::{FOREIGN}:assumed-role/theirs/me"}, f"role arn:aws:iam::{FOREIGN}:role/theirs"),
        ({"AWS": f"arn:aws:iam::{HOME}:role/by-hand"}, f"role arn:aws:iam::{HOME}:role/by-hand"),
        ({"Service": "logs.amazonaws.com"}, "service logs.amazonaws.com"),
    ],
)
def test_whom_a_key_names_uses_it(tmp_path: Path, principal: Any, who: str) -> None:
    assert (who, "Key", "decrypt") in uses(tmp_path, {"Key": key(allow("kms:Decrypt", Principal=principal))})


def test_an_alias_is_the_key_it_stands_for(tmp_path: Path) -> None:
    alias = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/shop", "TargetKeyId": {"Ref": "Key"}}}
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"KmsKeyId": "alias/shop"}}
    by_alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/shop"}}
    resources = {
        "Key": key(),
        "Other": key(),
        "Alias": alias,
        "Secret": secret,
        "Reader": role(allow("secretsmanager:*"), allow("kms:Decrypt", "*", Condition=by_alias)),
        "Asker": role(allow("secretsmanager:*"), allow("kms:Decrypt", arn("Other"))),
    }
    answer = asked(tmp_path, resources)
    assert {row[0] for row in answer.of(Relation.OPENS)} == {"Reader", ROOT}


def test_a_denial_for_all_but_one_leaves_one(tmp_path: Path) -> None:
    only = {"StringNotEquals": {"aws:PrincipalArn": arn("Role")}}
    deny: Resources = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": only}
    resources = {"Key": key(deny), "Role": role(allow("kms:*")), "Other": role(allow("kms:*"))}
    who = {row[0] for row in asked(tmp_path, resources).of(Relation.USES_KEY) if row[2] == "decrypt"}
    assert who == {"Role", "Other", ROOT}  # kms:ReEncryptFrom decrypts, too

    deny["Action"] = ["kms:Decrypt", "kms:ReEncrypt*"]
    who = {
        row[0]
        for row in asked(tmp_path / "both", resources | {"Key": key(deny)}).of(Relation.USES_KEY)
        if row[2] == "decrypt"
    }
    assert who == {"Role"}


def test_tags_of_a_resource_decide(tmp_path: Path) -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/team": "shelf"}}
    resources = {"Key": key(), "Role": role(allow("kms:CreateGrant", Condition=tagged))}
    for team, expected in (("shelf", {("Role", "Key", "grant")}), ("till", set[tuple[str, ...]]())):
        resources["Key"]["Properties"]["Tags"] = [{"Key": "team", "Value": team}]
        assert uses(tmp_path / team, resources) == expected


def test_an_organisation_is_told_as_one(tmp_path: Path) -> None:
    members = {"StringEquals": {"aws:PrincipalOrgID": "o-shop"}}
    resources = {"Key": key(allow("kms:Decrypt", Principal="*", Condition=members))}
    assert uses(tmp_path, resources) == {("organization o-shop", "Key", "decrypt")}


def test_whom_only_a_deployment_knows_is_told_so(tmp_path: Path) -> None:
    custom = {"Type": "Custom::Partner", "Properties": {"ServiceToken": f"arn:aws:lambda:us-east-1:{HOME}:function:x"}}
    for number, who in enumerate(({"Fn::GetAtt": "C.Arn"}, {"Fn::Sub": "arn:aws:iam::${C.Account}:root"})):
        resources = {"C": custom, "Key": key(allow("kms:Decrypt", Principal={"AWS": who}))}
        facts = asked(tmp_path / str(number), resources).facts
        told = [fact["who"] for fact in facts if fact.relation is Relation.USES_KEY and fact["who"] != ROOT]
        assert [name.startswith("whoever is ") and "Custom::Partner C" in name for name in told] == [True]
