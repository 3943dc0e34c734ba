"""A secret opens to who may ask for it and use its key, however that is written; and to nobody else."""

from pathlib import Path

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, key, policy, role

ROOT = ("root of 111122223333", "Secret")
GET, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"


def secret(**properties: object) -> Resources:
    return {"Type": "AWS::SecretsManager::Secret", "Properties": {"KmsKeyId": arn("Key"), **properties}}


def guarded(*statements: Resources) -> Resources:
    properties = {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy(*statements)}
    return {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": properties}


def test_asking_is_not_enough_without_the_key(tmp_path: Path) -> None:
    answer = asked(
        tmp_path,
        {
            "Key": key(),
            "Secret": secret(),
            "Reader": role(allow(GET, {"Ref": "Secret"}), allow(DECRYPT, arn("Key"))),
            "Asker": role(allow(GET, {"Ref": "Secret"})),
            "Decrypter": role(allow(DECRYPT, arn("Key"))),
        },
    )
    assert answer.of(Relation.OPENS) == {ROOT, ("Reader", "Secret")}
    assert answer.told("asked by", "changed by") == {("Secret", "asked by", "Asker"), ("Secret", "changed by", ROOT[0])}
    assert not answer.refused


@pytest.mark.parametrize(
    ("condition", "opens"),
    [
        ({"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}, True),
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, False),
        ({"StringLike": {"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:*:secret:Secret-*"}}, True),
        ({"StringLike": {"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:*:secret:other-*"}}, False),
        ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, False),
    ],
)
def test_the_key_is_used_through_secrets_manager(tmp_path: Path, condition: Resources, *, opens: bool) -> None:
    decrypt = allow(DECRYPT, arn("Key"), Condition=condition)
    answer = asked(tmp_path, {"Key": key(), "Secret": secret(), "Reader": role(allow(GET), decrypt)})
    assert (("Reader", "Secret") in answer.of(Relation.OPENS)) is opens


def test_a_foreign_account_needs_both_policies(tmp_path: Path) -> None:
    foreign = {"AWS": f"arn:aws:iam::{FOREIGN}:root"}
    by_secret = guarded(allow(GET, Principal=foreign))
    both = {"Key": key(allow(DECRYPT, Principal=foreign)), "Secret": secret(), "Policy": by_secret}
    answer = asked(tmp_path / "both", both)
    assert answer.of(Relation.OPENS) == {ROOT, (f"account {FOREIGN}", "Secret")}
    path = answer.row(Relation.OPENS, f"account {FOREIGN}", "Secret").path
    assert [GET in path[0], DECRYPT in path[1]] == [True, True]

    answer = asked(tmp_path / "secret", {"Key": key(), "Secret": secret(), "Policy": by_secret})
    assert answer.of(Relation.OPENS) == {ROOT}
    assert ("Secret", "asked by", f"account {FOREIGN}") in answer.of(Relation.POSTURE)


def test_an_account_that_only_a_condition_names_is_named(tmp_path: Path) -> None:
    whoever = {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": FOREIGN}}}
    resources = {
        "Key": key(allow(DECRYPT, **whoever)),
        "Secret": secret(),
        "Policy": guarded(allow(GET, **whoever)),
    }
    assert asked(tmp_path, resources).of(Relation.OPENS) == {ROOT, (f"account {FOREIGN}", "Secret")}


def test_keys_of_aws_stay_in_their_account(tmp_path: Path) -> None:
    foreign = {"AWS": FOREIGN}
    answer = asked(
        tmp_path,
        {
            "Secret": {"Type": "AWS::SecretsManager::Secret"},
            "Policy": guarded(allow(GET, Principal=foreign)),
            "Reader": role(allow(GET)),
        },
    )
    assert answer.of(Relation.OPENS) == {ROOT, ("Reader", "Secret")}


def test_anyone_is_told_as_anyone(tmp_path: Path) -> None:
    resources = {
        "Key": key(allow(DECRYPT, Principal="*")),
        "Secret": secret(),
        "Policy": guarded(allow(GET, Principal={"AWS": "*"})),
        "Bystander": role(),
    }
    assert ("anyone", "Secret") in asked(tmp_path, resources).of(Relation.OPENS)


def test_a_replica_has_a_key_of_its_own(tmp_path: Path) -> None:
    replicas = [{"Region": "eu-west-1", "KmsKeyId": "alias/aws/secretsmanager"}]
    answer = asked(tmp_path, {"Key": key(), "Secret": secret(ReplicaRegions=replicas), "Reader": role(allow(GET, "*"))})
    assert {row for row in answer.of(Relation.OPENS) if row[0] == "Reader"} == {
        ("Reader", "AWS::SecretsManager::Secret Secret in eu-west-1")
    }


def test_rds_keeps_a_password_as_a_secret(tmp_path: Path) -> None:
    managed = {"ManageMasterUserPassword": True, "MasterUserSecret": {"KmsKeyId": {"Ref": "Key"}}}
    answer = asked(
        tmp_path,
        {
            "Key": key(),
            "Database": {"Type": "AWS::RDS::DBInstance", "Properties": managed},
            "Reader": role(
                allow(GET, {"Fn::GetAtt": "Database.MasterUserSecret.SecretArn"}), allow(DECRYPT, arn("Key"))
            ),
            "Asker": role(allow(GET, "arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-*")),
        },
    )
    assert answer.of(Relation.OPENS) == {
        (ROOT[0], "Database/MasterUserSecret"),
        ("Reader", "Database/MasterUserSecret"),
    }
    assert ("Database/MasterUserSecret", "asked by", "Asker") in {
        (row[0].rpartition(" ")[2], *row[1:]) for row in answer.of(Relation.POSTURE)
    }


def test_a_secret_that_is_only_named_counts(tmp_path: Path) -> None:
    named = f"arn:aws:secretsmanager:us-east-1:{HOME}:secret:handmade-??????"
    answer = asked(tmp_path, {"Reader": role(allow(GET, named))})
    assert answer.of(Relation.OPENS) == {("Reader", f"secret {named}"), (ROOT[0], f"secret {named}")}


def test_a_secret_of_another_account_opens_to_who_means_it(tmp_path: Path) -> None:
    named = f"arn:aws:secretsmanager:us-east-1:{FOREIGN}:secret:theirs-AbCdEf"
    resources = {"Reader": role(allow(GET, named)), "Broad": role(allow(GET, "*"))}
    rows = asked(tmp_path, resources).of(Relation.OPENS)
    assert ("Reader", f"secret {named}") in rows
    assert ("Broad", f"secret {named}") not in rows


def test_who_is_handed_a_secret_opens_it(tmp_path: Path) -> None:
    container = {"Name": "shop", "Secrets": [{"Name": "P", "ValueFrom": {"Fn::Sub": "${Secret}:password::"}}]}
    resolved = {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:password}}"}
    answer = asked(
        tmp_path,
        {
            "Key": key(),
            "Secret": secret(),
            "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Environment": {"Variables": {"P": resolved}}},
            },
        },
    )
    assert answer.of(Relation.OPENS) == {ROOT, ("Task", "Secret"), ("Function", "Secret")}


def test_parameters_of_a_container_are_secrets_too(tmp_path: Path) -> None:
    container = {"Name": "shop", "Secrets": [{"Name": "P", "ValueFrom": "/shop/password"}]}
    parameter = f"arn:aws:ssm:us-east-1:{HOME}:parameter/shop/password"
    answer = asked(
        tmp_path,
        {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {"ContainerDefinitions": [container], "ExecutionRoleArn": arn("Execution")},
            },
            "Execution": role(allow("ssm:GetParameters", parameter)),
        },
    )
    assert {row[0] for row in answer.of(Relation.OPENS)} == {"Task", "Execution", ROOT[0]}


def test_who_changes_a_secret_is_told(tmp_path: Path) -> None:
    resources = {"Key": key(), "Secret": secret(), "Writer": role(allow("secretsmanager:Put*", {"Ref": "Secret"}))}
    assert ("Secret", "changed by", "Writer") in asked(tmp_path, resources).of(Relation.POSTURE)


@pytest.mark.parametrize(
    "value",
    [
        f"arn:aws:secretsmanager:us-east-1:{HOME}:secret:shop/db",
        f"arn:aws:secretsmanager:us-east-1:{HOME}:secret:shop/db:password::",
        "{{resolve:secretsmanager:shop/db:SecretString:password}}",
    ],
)
def test_the_end_of_an_arn_may_be_left_out(tmp_path: Path, value: str) -> None:
    container = {"Name": "shop", "Secrets": [{"Name": "P", "ValueFrom": value}]}
    if value.startswith("{{"):
        container = {"Name": "shop", "Environment": [{"Name": "P", "Value": value}]}
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}
    named = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "shop/db"}}
    assert asked(tmp_path / "made", {"Secret": named, "Task": task}).of(Relation.OPENS) == {ROOT, ("Task", "Secret")}
    told = {who for who, secret in asked(tmp_path / "named", {"Task": task}).of(Relation.OPENS) if "shop/db" in secret}
    assert told == {"Task", ROOT[0]}


@pytest.mark.parametrize(
    ("key_of_context", "opens"), [("purpose", False), ("SecretARN", True), ("SecretVersionId", True)]
)
def test_secrets_manager_writes_no_other_context_than_its_own(
    tmp_path: Path, key_of_context: str, *, opens: bool
) -> None:
    value = "messages" if key_of_context == "purpose" else "*"
    condition = {"StringLike": {f"kms:EncryptionContext:{key_of_context}": value}}
    reader = role(allow(GET), allow(DECRYPT, arn("Key"), Condition=condition))
    answer = asked(tmp_path, {"Key": key(), "Secret": secret(), "Reader": reader})
    assert (("Reader", "Secret") in answer.of(Relation.OPENS)) is opens
    assert (("Secret", "asked by", "Reader") in answer.of(Relation.POSTURE)) is not opens


def test_secrets_manager_writes_its_own_keys_of_a_context(tmp_path: Path) -> None:
    condition = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "purpose"}}
    reader = role(allow(GET), allow(DECRYPT, arn("Key"), Condition=condition))
    assert asked(tmp_path, {"Key": key(), "Secret": secret(), "Reader": reader}).of(Relation.OPENS) == {ROOT}


EPOCHS = f"arn:aws:secretsmanager:us-east-1:{HOME}:secret:shop/epochs/*"
LATER = ("made by", "changed by", "copied by", "deleted by")


@pytest.mark.parametrize(
    ("verb", "quality"),
    [
        ("CreateSecret", "made by"),
        ("PutSecretValue", "changed by"),
        ("PutResourcePolicy", "changed by"),
        ("ReplicateSecretToRegions", "copied by"),
        ("DeleteSecret", "deleted by"),
    ],
)
def test_who_does_what_to_secrets_made_later_is_told(tmp_path: Path, verb: str, quality: str) -> None:
    answer = asked(tmp_path, {"Role": role(allow(f"secretsmanager:{verb}", EPOCHS)), "Other": role()})
    told = {(quality, who) for secret, quality, who in answer.told(*LATER) if secret == f"secret {EPOCHS}"}
    assert told == {(each, ROOT[0]) for each in LATER} | {(quality, "Role")}
    assert answer.of(Relation.OPENS) == {(ROOT[0], f"secret {EPOCHS}")}


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        EPOCHS,
        EPOCHS.replace("epochs/", ""),
        EPOCHS.replace("*", "1-*"),
        EPOCHS.replace("*", "1-AbCdEf"),
        EPOCHS.replace("*", "??-??????"),
        EPOCHS.replace("us-east-1", "*"),
        EPOCHS.replace(HOME, "*"),
    ],
)
def test_whoever_reads_any_of_them_is_told(tmp_path: Path, resource: str) -> None:
    """Whichever name their own policy has for them; the key that seals them, which no template tells, keeps nobody."""
    resources = {"Roll": role(allow("secretsmanager:CreateSecret", EPOCHS)), "Reader": role(allow(GET, resource))}
    assert ("Reader", f"secret {EPOCHS}") in asked(tmp_path, resources).of(Relation.OPENS)


@pytest.mark.parametrize(
    "resource", [EPOCHS.replace("epochs", "epoch"), EPOCHS.replace(HOME, FOREIGN), EPOCHS.replace("east", "west")]
)
def test_whoever_reads_others_is_not(tmp_path: Path, resource: str) -> None:
    resources = {"Roll": role(allow("secretsmanager:CreateSecret", EPOCHS)), "Reader": role(allow(GET, resource))}
    rows = asked(tmp_path, resources).of(Relation.OPENS)
    assert ("Reader", f"secret {EPOCHS}") not in rows
    assert ("Reader", f"secret {resource}") in rows


@pytest.mark.parametrize("names", [("First", "Second"), ("Second", "First")])
def test_a_wider_pattern_names_more_secrets(tmp_path: Path, names: tuple[str, str]) -> None:
    wide = EPOCHS.replace("epochs/", "")
    resources = dict(zip(names, (role(allow(GET, EPOCHS)), role(allow(GET, wide))), strict=True))
    told = {secret for _, secret in asked(tmp_path, resources).of(Relation.OPENS)}
    assert told == {f"secret {EPOCHS}", f"secret {wide}"}


def test_a_denial_takes_secrets_made_later_away(tmp_path: Path) -> None:
    deny: Resources = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": EPOCHS}
    resources = {"Roll": role(allow("secretsmanager:CreateSecret", EPOCHS)), "Reader": role(allow(GET), deny)}
    assert asked(tmp_path, resources).of(Relation.OPENS) == {(ROOT[0], f"secret {EPOCHS}")}


def test_a_pattern_for_secrets_of_the_templates_names_no_others(tmp_path: Path) -> None:
    named = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "shop/epochs/first"}}
    answer = asked(tmp_path, {"Secret": named, "Reader": role(allow(GET, EPOCHS))})
    assert answer.of(Relation.OPENS) == {ROOT, ("Reader", "Secret")}


@pytest.mark.parametrize("ending", ["", "/"])
def test_the_beginning_of_a_pattern_is_no_secret_of_its_own(tmp_path: Path, ending: str) -> None:
    """A program is told where its secrets are by the beginning of their names."""
    prefix = EPOCHS.removesuffix("/*") + ending
    container = {"Name": "shop", "Environment": [{"Name": "EPOCH_KEYS", "Value": prefix}]}
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}
    for number, resources in enumerate(({"Task": task, "R": role(allow(GET, EPOCHS))}, {"Task": task})):
        told = {secret for _, secret in asked(tmp_path / str(number), resources).of(Relation.OPENS)}
        assert told == ({f"secret {prefix}"} if number else {f"secret {EPOCHS}"})
