"""A change that would remove, replace or weaken what cannot be brought back needs a waiver for that very resource."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.stateful import Outcome, changes
from tests.infra.assurance.assembly import write

Json = dict[str, Any]
TODAY = date(2027, 1, 1)


def database() -> Json:
    """A template with a database, its key, a bucket, a table, a log group, and what refers to them."""
    return {
        "Conditions": {"Busy": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "DeletionPolicy": "Retain",
                "Properties": {"EnableKeyRotation": True, "KeyPolicy": {}},
                "Metadata": {"aws:cdk:path": "app/Data/Key/Resource"},
            },
            "Rows": {
                "Type": "AWS::RDS::DBCluster",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "Engine": "aurora-postgresql",
                    "EngineVersion": "17.4",
                    "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                    "StorageEncrypted": True,
                    "DeletionProtection": True,
                    "BackupRetentionPeriod": 30,
                    "DBSubnetGroupName": {"Ref": "Subnets"},
                },
                "Metadata": {"aws:cdk:path": "app/Data/Rows/Resource"},
            },
            "Subnets": {
                "Type": "AWS::RDS::DBSubnetGroup",
                "Properties": {"DBSubnetGroupDescription": "private", "SubnetIds": ["subnet-1", "subnet-2"]},
            },
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": "items",
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                },
            },
            "Objects": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "ObjectLockEnabled": True,
                    "LifecycleConfiguration": {"Rules": [{"Status": "Disabled", "ExpirationInDays": 1}]},
                },
            },
            "Lines": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 90}},
            "Password": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"GenerateSecretString": {"PasswordLength": 32}},
            },
            "Vault": {
                "Type": "AWS::Backup::BackupVault",
                "Properties": {
                    "BackupVaultName": "vault",
                    "EncryptionKeyArn": {"Fn::GetAtt": ["Key", "Arn"]},
                    "LockConfiguration": {"MinRetentionDays": 30},
                },
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"ComparisonOperator": "LessThanThreshold"}},
        },
    }


def compare(folder: Path, old: Mapping[str, Json], new: Mapping[str, Json], waivers: str = "") -> Outcome:
    folder.mkdir(exist_ok=True)
    file = folder / "waivers.toml"
    file.write_text(waivers)
    return changes(write(folder / "old", old), write(folder / "new", new), file, today=TODAY)


def after(folder: Path, change: Callable[[Json], object], waivers: str = "") -> Outcome:
    new = database()
    change(new["Resources"])
    return compare(folder, {"Data": database()}, {"Data": new}, waivers)


def found(outcome: Outcome) -> set[tuple[str, str]]:
    return {(change.resource, change.change) for change in outcome.changes}


def test_nothing_is_told_of_the_same_assembly(tmp_path: Path) -> None:
    outcome = after(tmp_path, lambda _: None)
    assert (outcome.code, outcome.changes, outcome.refused) == (0, (), ())


def put(name: str, path: str, value: object = None) -> Callable[[Json], object]:
    """Set what the path leads to; None takes it away."""

    def change(resources: Json) -> None:
        *outer, last = path.split(".")
        target = resources[name]
        for key in outer:
            target = target.setdefault(key, {})
        if value is None:
            del target[last]
        else:
            target[last] = value

    return change


HARMLESS: dict[str, Callable[[Json], object]] = {
    "an output's alarm": lambda r: r.update(More={"Type": "AWS::CloudWatch::Alarm", "Properties": {}}),
    "a resource that holds nothing is removed": lambda r: r.pop("Alarm"),
    "a version": put("Rows", "Properties.EngineVersion", "17.7"),
    "more backups": put("Rows", "Properties.BackupRetentionPeriod", 35),
    "more logs": put("Lines", "Properties.RetentionInDays", None),
    "another policy of the key": put("Key", "Properties.KeyPolicy", {"Statement": []}),
    "the same reference, written in another way": put("Rows", "Properties.KmsKeyId", {"Fn::Sub": "${Key.Arn}"}),
    "kept longer": put("Table", "DeletionPolicy", "Retain"),
    "a new bucket": lambda r: r.update(New={"Type": "AWS::S3::Bucket"}),
    "what nobody can tell of something that holds nothing": put("Alarm", "Properties.AlarmName", {"Ref": "NoSuch"}),
    "a rule that is not in force": put(
        "Objects", "Properties.LifecycleConfiguration", {"Rules": [{"Status": "Disabled", "ExpirationInDays": 2}]}
    ),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_loses_nothing_passes(tmp_path: Path, change: Callable[[Json], object]) -> None:
    outcome = after(tmp_path, change)
    assert (outcome.code, outcome.text) == (0, outcome.text)


ROWS, KEY = "app/Data/Rows", "app/Data/Key"
TABLE, VAULT = "AWS::DynamoDB::Table Table", "AWS::Backup::BackupVault Vault"
OBJECTS, LINES = "AWS::S3::Bucket Objects", "AWS::Logs::LogGroup Lines"
LOCK = {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]}

LOST: dict[str, tuple[Callable[[Json], object], set[tuple[str, str]]]] = {
    "removed": (lambda r: r.pop("Table"), {(TABLE, "removed")}),
    "of another type": (put("Lines", "Type", "AWS::SNS::Topic"), {(LINES, "removed")}),
    "create-only": (put("Table", "Properties.TableName", "others"), {(TABLE, "replaced")}),
    "conditionally create-only": (put("Table", "Properties.KeySchema", []), {(TABLE, "replaced")}),
    "another key, by reference": (
        lambda r: (r.update(Other=r["Key"]), put("Rows", "Properties.KmsKeyId", {"Fn::GetAtt": ["Other", "Arn"]})(r)),
        {(ROWS, "replaced")},
    ),
    "what it refers to is replaced": (
        put("Subnets", "Properties.DBSubnetGroupName", "others"),
        {(ROWS, "replaced")},
    ),
    "nobody can tell what it refers to": (
        put("Subnets", "Properties.DBSubnetGroupName", {"Fn::Nothing": 1}),
        {(ROWS, "replaced")},
    ),
    "moved": (
        lambda r: r.update(Moved=r.pop("Table")),
        {(TABLE, "removed")},
    ),
    "under a condition": (put("Rows", "Condition", "Busy"), {(ROWS, "conditional")}),
    "deletion protection": (
        put("Rows", "Properties.DeletionProtection", "false"),
        {(ROWS, "weaker DeletionProtection")},
    ),
    "deletion protection left out": (
        put("Rows", "Properties.DeletionProtection", None),
        {(ROWS, "weaker DeletionProtection")},
    ),
    "fewer backups": (put("Rows", "Properties.BackupRetentionPeriod", 7), {(ROWS, "weaker BackupRetentionPeriod")}),
    "no policy": (put("Key", "DeletionPolicy", None), {(KEY, "weaker DeletionPolicy")}),
    "a snapshot instead": (put("Rows", "DeletionPolicy", "Snapshot"), {(ROWS, "weaker DeletionPolicy")}),
    "no rotation": (put("Key", "Properties.EnableKeyRotation", "false"), {(KEY, "weaker EnableKeyRotation")}),
    "gone sooner": (put("Key", "Properties.PendingWindowInDays", 7), {(KEY, "weaker PendingWindowInDays")}),
    "no point in time": (
        put("Table", "Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "false"),
        {(TABLE, "weaker PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled")},
    ),
    "no versions": (
        put("Objects", "Properties.VersioningConfiguration", {"Status": "Suspended"}),
        {(OBJECTS, "weaker VersioningConfiguration.Status")},
    ),
    "expires": (
        put("Objects", "Properties.LifecycleConfiguration", LOCK),
        {(OBJECTS, "weaker LifecycleConfiguration.Rules.*")},
    ),
    "unlocked": (
        put("Vault", "Properties.LockConfiguration", None),
        {(VAULT, "weaker LockConfiguration"), (VAULT, "weaker LockConfiguration.MinRetentionDays")},
    ),
    "fewer logs": (put("Lines", "Properties.RetentionInDays", 30), {(LINES, "weaker RetentionInDays")}),
    "another secret": (
        put("Password", "Properties.GenerateSecretString", {"PasswordLength": 40}),
        {("AWS::SecretsManager::Secret Password", "overwritten")},
    ),
    "emptied": (
        lambda r: r.update(
            Empty={"Type": "Custom::S3AutoDeleteObjects", "Properties": {"BucketName": {"Ref": "Objects"}}}
        ),
        {(OBJECTS, "emptied")},
    ),
}


@pytest.mark.parametrize(("change", "expected"), LOST.values(), ids=LOST)
def test_what_loses_something_is_told_of_the_resource(
    tmp_path: Path, change: Callable[[Json], object], expected: set[tuple[str, str]]
) -> None:
    outcome = after(tmp_path, change)
    assert (found(outcome), outcome.code) == (expected, 1)


def test_a_replacement_goes_through_stacks_and_exports(tmp_path: Path) -> None:
    def stacks(primary: str) -> dict[str, Json]:
        export = {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "key"}}
        key: Json = {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": primary, "KeyPolicy": {}}}
        rows = {"Type": "AWS::RDS::DBInstance", "Properties": {"KmsKeyId": {"Fn::ImportValue": "key"}}}
        return {
            "Keys": {"Resources": {"Key": key}, "Outputs": {"Key": export}},
            "Data": {"Resources": {"Rows": rows}},
        }

    outcome = compare(tmp_path, stacks("arn:one"), stacks("arn:two"))
    assert found(outcome) == {("AWS::KMS::ReplicaKey Key", "replaced"), ("AWS::RDS::DBInstance Rows", "replaced")}


def test_a_replacement_goes_into_nested_stacks_and_out_of_them(tmp_path: Path) -> None:
    def assembly(folder: Path, primary: str) -> Path:
        key: Json = {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": primary, "KeyPolicy": {}}}
        arn = {"Fn::GetAtt": ["Key", "Arn"]}
        inner = {"Parameters": {"Key": {"Type": "String"}}, "Resources": {"Rows": rows({"Ref": "Key"})}}
        given = {"Parameters": {"Key": {"Fn::GetAtt": ["Keys", "Outputs.Arn"]}}}
        stack = "AWS::CloudFormation::Stack"
        outer = {
            "Keys": {"Type": stack, "Metadata": {"aws:asset:path": "keys.nested.json"}},
            "Data": {"Type": stack, "Properties": given, "Metadata": {"aws:asset:path": "data.nested.json"}},
        }
        write(folder, {"Outer": {"Resources": outer}})
        (folder / "keys.nested.json").write_text(
            json.dumps({"Resources": {"Key": key}, "Outputs": {"Arn": {"Value": arn}}})
        )
        (folder / "data.nested.json").write_text(json.dumps(inner))
        return folder

    def rows(key: Json) -> Json:
        return {"Type": "AWS::RDS::DBInstance", "Properties": {"KmsKeyId": key}}

    outcome = changes(assembly(tmp_path / "old", "arn:one"), assembly(tmp_path / "new", "arn:two"))
    assert found(outcome) == {("AWS::KMS::ReplicaKey Key", "replaced"), ("AWS::RDS::DBInstance Rows", "replaced")}
    assert outcome.refused == ()


def test_an_answer_of_a_custom_resource_that_changes_may_replace(tmp_path: Path) -> None:
    def template(version: int) -> Json:
        return {
            "Resources": {
                "Asked": {"Type": "Custom::Asked", "Properties": {"ServiceToken": "arn:x", "Version": version}},
                "Rows": {
                    "Type": "AWS::RDS::DBInstance",
                    "Properties": {"KmsKeyId": {"Fn::GetAtt": ["Asked", "KeyArn"]}},
                },
            }
        }

    assert found(compare(tmp_path / "same", {"Data": template(1)}, {"Data": template(1)})) == set()
    outcome = compare(tmp_path / "other", {"Data": template(1)}, {"Data": template(2)})
    assert found(outcome) == {("AWS::RDS::DBInstance Rows", "replaced")}


def test_either_way_a_condition_turns_out_counts(tmp_path: Path) -> None:
    def template(other: str, *, busy: str = "a") -> Json:
        encrypted = {"Fn::If": ["Busy", "items", other]}
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": encrypted}}
        return {"Conditions": {"Busy": {"Fn::Equals": ["a", busy]}}, "Resources": {"Table": table}}

    assert found(compare(tmp_path / "same", {"Data": template("x")}, {"Data": template("x")})) == set()
    changed = compare(tmp_path / "branch", {"Data": template("x")}, {"Data": template("y")})
    assert found(changed) == {(TABLE, "replaced")}
    turned = compare(tmp_path / "condition", {"Data": template("x")}, {"Data": template("x", busy="b")})
    assert found(turned) == {(TABLE, "replaced")}


def test_a_stack_that_is_no_longer_there_loses_all_that_it_holds(tmp_path: Path) -> None:
    outcome = compare(tmp_path, {"Data": database(), "Other": {"Resources": {}}}, {"Other": {"Resources": {}}})
    assert {change for _, change in found(outcome)} == {"removed"}
    assert {name for name, _ in found(outcome)} >= {ROWS, KEY, TABLE, VAULT, OBJECTS, LINES}


def test_a_stack_that_anybody_may_delete_is_told(tmp_path: Path) -> None:
    for version, protected in (("old", True), ("new", False)):
        write(tmp_path / version, {"Data": database()})
        manifest = json.loads((tmp_path / version / "manifest.json").read_text())
        manifest["artifacts"]["Data"]["properties"]["terminationProtection"] = protected
        (tmp_path / version / "manifest.json").write_text(json.dumps(manifest))
    outcome = changes(tmp_path / "old", tmp_path / "new")
    assert found(outcome) == {("stack Data of 111122223333 in us-east-1", "weaker termination protection")}


def test_templates_as_they_are_deployed_are_compared_with_an_assembly(tmp_path: Path) -> None:
    deployed = tmp_path / "deployed"
    deployed.mkdir()
    (deployed / "Data.json").write_text(json.dumps({"TemplateBody": database()}))
    new = database()
    assert changes(deployed, write(tmp_path / "same", {"Data": new})).code == 0
    new["Resources"]["Table"]["Properties"]["TableName"] = "others"
    assert found(changes(deployed, write(tmp_path / "new", {"Data": new}))) == {(TABLE, "replaced")}


REFUSED: dict[str, tuple[Callable[[Json], object], str]] = {
    "a property that the type does not have": (put("Rows", "Properties.NoSuch", 1), "NoSuch"),
    "a type that no schema describes": (
        lambda r: r.update(Alarm={"Type": "Acme::Disk::Array", "Properties": {"Size": 2}}),
        "Acme::Disk::Array",
    ),
    "a reference to nothing": (put("Rows", "Properties.KmsKeyId", {"Ref": "NoSuch"}), "NoSuch"),
    "protection that only a deployment knows": (
        put("Rows", "Properties.DeletionProtection", "{{resolve:ssm:protected}}"),
        "DeletionProtection",
    ),
    "a policy that is none": (put("Rows", "DeletionPolicy", {"Ref": "Policy"}), "DeletionPolicy"),
}


@pytest.mark.parametrize(("change", "named"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_decided_is_refused_by_name(
    tmp_path: Path, change: Callable[[Json], object], named: str
) -> None:
    old, new = database(), database()
    old["Resources"]["Alarm"] = {"Type": "Acme::Disk::Array", "Properties": {"Size": 1}}
    new["Resources"]["Alarm"] = {"Type": "Acme::Disk::Array", "Properties": {"Size": 1}}
    change(new["Resources"])
    outcome = compare(tmp_path, {"Data": old}, {"Data": new})
    assert outcome.code == 2
    assert [named in str(refused) for refused in outcome.refused] == [True]


def row(**changes: str) -> str:
    values = {
        "resource": f'"{ROWS}"',
        "change": '"weaker BackupRetentionPeriod"',
        "reason": '"Thirty days cost more than they are worth here."',
        "owner": '"operations"',
        "expires": "2027-01-31",
        **changes,
    }
    return "\n".join(["[[waiver]]", *(f"{key} = {value}" for key, value in values.items() if value), ""])


FEWER = put("Rows", "Properties.BackupRetentionPeriod", 7)


def test_a_waiver_for_that_very_change_lets_it_pass(tmp_path: Path) -> None:
    assert after(tmp_path, FEWER, row()).code == 0


def test_a_waiver_may_name_the_whole_construct_path(tmp_path: Path) -> None:
    assert after(tmp_path, FEWER, row(resource=f'"{ROWS}/Resource"')).code == 0


WRONG = {
    "of another resource": {"resource": f'"{KEY}"'},
    "of another change": {"change": '"replaced"'},
    "whose day has passed": {"expires": "2026-12-31"},
    "for ever": {"expires": "2099-01-01"},
    "without a sentence": {"reason": '"because"'},
    "of nobody": {"owner": '""'},
    "of all resources": {"resource": '"app/*"'},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_a_wrong_waiver_lets_nothing_pass_and_is_told(tmp_path: Path, changed: dict[str, str]) -> None:
    outcome = after(tmp_path, FEWER, row(**changed))
    assert outcome.code == 1
    assert found(outcome) == {(ROWS, "weaker BackupRetentionPeriod")}
    assert outcome.faults


def test_a_waiver_that_nothing_needs_is_told(tmp_path: Path) -> None:
    outcome = after(tmp_path, lambda _: None, row())
    assert (outcome.code, len(outcome.faults)) == (1, 1)


@pytest.mark.parametrize("left_out", ["resource", "change", "reason", "owner", "expires"])
def test_a_waiver_without_a_key_is_refused(tmp_path: Path, left_out: str) -> None:
    outcome = after(tmp_path, FEWER, row(**{left_out: ""}))
    assert outcome.code == 2
    assert left_out in outcome.text
