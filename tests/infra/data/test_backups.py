"""The user database is copied each day, also to another region, by a role that can do nothing else, and somebody hears
of it when it is not."""

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from infra.data.quiet_hours import QuietHours
from infra.settings import read_environment
from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, as_list, read_application, reference

VAULT, PLAN, SELECTION = "AWS::Backup::BackupVault", "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"
RULE = "BackupPlan.BackupPlanRule.0"
ALARM = "AWS::CloudWatch::Alarm"


def _rule(stacks: Stacks) -> Json:
    rules = stacks["Data"].only(PLAN)["BackupPlan"]["BackupPlanRule"]
    assert len(rules) == 1
    return rules[0]


def _copies_elsewhere(stacks: Stacks) -> None:
    _rule(stacks)["CopyActions"][0]["DestinationBackupVaultArn"] = "arn:aws:backup:us-west-2:1:backup-vault:other"


@promise(
    no_plan=without(PLAN),
    weekly=setting(PLAN, f"{RULE}.ScheduleExpression", "cron(0 11 ? * SUN *)"),
    shorter=setting(PLAN, f"{RULE}.Lifecycle.DeleteAfterDays", 7),
    for_ever=without(PLAN, f"{RULE}.Lifecycle"),
    point_in_time=setting(PLAN, f"{RULE}.EnableContinuousBackup", value=True),
    another_cluster=setting(SELECTION, "BackupSelection.Resources.0", {"Fn::Join": ["", ["arn:…", {"Ref": "Other"}]]}),
    nothing=without(SELECTION),
)
def test_the_user_database_is_copied_each_day_and_kept_as_long_as_the_settings_say(stacks: Stacks) -> None:
    """By snapshots: continuous backups of AWS Backup would set the cluster's own retention behind CloudFormation."""
    if not stacks.settings.backup.enabled:
        assert not stacks["Data"].properties(PLAN)
        return
    rule = _rule(stacks)
    minute, _, *rest = rule["ScheduleExpression"].removeprefix("cron(").removesuffix(")").split()
    assert (minute, rest) == ("0", ["*", "*", "?", "*"])
    assert rule.get("Lifecycle") == {"DeleteAfterDays": stacks.settings.backup.days}
    assert "EnableContinuousBackup" not in rule
    ((cluster, _),) = stacks["Data"].resources("AWS::RDS::DBCluster").items()
    (resource,) = stacks["Data"].only(SELECTION)["BackupSelection"]["Resources"]
    assert reference(resource["Fn::Join"][1][-1]) == cluster


@promise(
    no_copy=without(PLAN, f"{RULE}.CopyActions"),
    elsewhere=_copies_elsewhere,
    copy_for_ever=without(PLAN, f"{RULE}.CopyActions.0.Lifecycle"),
    no_vault=setting(VAULT, "BackupVaultName", "renamed"),
)
def test_each_copy_goes_to_the_region_in_the_settings_too_where_vault_and_key_wait_for_it(stacks: Stacks) -> None:
    region = stacks.settings.backup.copy_region
    assert ("BackupCopy" in stacks.templates) == bool(region)
    if not region:
        return
    template = stacks["BackupCopy"]
    vault = template.only(VAULT)
    assert reference(vault["EncryptionKeyArn"]) in template.resources("AWS::KMS::Key")
    expected = f"arn:aws:backup:{region}:{stacks.settings.account.id}:backup-vault:{vault['BackupVaultName']}"
    (copy,) = _rule(stacks).get("CopyActions", [{}])
    assert copy == {
        "DestinationBackupVaultArn": expected,
        "Lifecycle": {"DeleteAfterDays": stacks.settings.backup.days},
    }


def test_the_stack_in_the_other_region_is_deployed_there_and_before_the_backups(assembly: Path) -> None:
    for manifest in assembly.rglob("manifest.json"):
        artifacts = json.loads(manifest.read_text())["artifacts"]
        by_name = {a.get("displayName", "").split(" ")[0].removeprefix("pipeline/"): k for k, a in artifacts.items()}
        if "prod/Data" in by_name:
            copy = by_name["prod/BackupCopy"]
            assert artifacts[copy]["environment"] == "aws://777788889999/us-west-2"
            assert copy in artifacts[by_name["prod/Data"]]["dependencies"]
            return
    pytest.fail("no prod/Data")


def _deletes(stacks: Stacks) -> None:
    for vault in stacks.properties(VAULT):
        vault["AccessPolicy"]["Statement"][0]["Action"] = ["backup:UpdateRecoveryPointLifecycle"]


@promise(no_policy=without(VAULT, "AccessPolicy"), deletes=_deletes)
def test_nobody_deletes_a_backup_before_its_time(stacks: Stacks) -> None:
    for vault in stacks.properties(VAULT):
        statements = vault.get("AccessPolicy", {}).get("Statement", [])
        denied = [
            s for s in statements if s["Effect"] == "Deny" and s["Principal"] == {"AWS": "*"} and "Condition" not in s
        ]
        actions = {action for s in denied for action in s["Action"]}
        assert {"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"} <= actions


def _may(stacks: Stacks) -> list[Json]:
    return [
        statement
        for name, resource in stacks["Data"].resources("AWS::IAM::Policy").items()
        if name.startswith("BackupsRole")
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]


def _role(change: str, value: object) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        for statement in _may(stacks):
            statement[change] = value

    return mutate


@promise(
    every_database=_role("Resource", "*"),
    shares=_role("Action", ["rds:ModifyDBClusterSnapshotAttribute"]),
    grants_to_anybody=_role("Condition", {}),
    of_aws=setting(
        "AWS::IAM::Role",
        "ManagedPolicyArns",
        ["arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"],
    ),
    nothing=_role("Action", "s3:GetObject"),
)
def test_aws_backup_may_copy_this_database_to_these_vaults_and_nothing_else(stacks: Stacks) -> None:
    if not stacks.settings.backup.enabled:
        return
    statements = _may(stacks)
    actions = {action for s in statements for action in as_list(s["Action"])}
    assert {
        "rds:CreateDBClusterSnapshot",
        "rds:CopyDBClusterSnapshot",
        "backup:CopyIntoBackupVault",
        "kms:CreateGrant",
    } <= actions
    assert (
        not {"rds:ModifyDBClusterSnapshotAttribute", "rds:ModifyDBCluster", "rds:DeleteDBCluster", "kms:Decrypt"}
        & actions
    )
    for statement in statements:
        allowed = set(as_list(statement["Action"]))
        if allowed == {"tag:GetResources"} or all(
            ":Describe" in action for action in allowed if action != "kms:DescribeKey"
        ):
            continue
        resources = as_list(statement["Resource"])
        assert "*" not in resources, allowed
        if "kms:CreateGrant" in allowed:
            assert statement.get("Condition", {}).get("Bool") == {"kms:GrantIsForAWSResource": "true"}
        if "rds:DeleteDBClusterSnapshot" in allowed:
            assert all(fnmatchcase(r, "arn:aws:rds:*:cluster-snapshot:awsbackup:[*]") for r in resources)
    ((_, role),) = (
        (n, r) for n, r in stacks["Data"].resources("AWS::IAM::Role").items() if n.startswith("BackupsRole")
    )
    assert "ManagedPolicyArns" not in role["Properties"]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": stacks.settings.account.id}}


def _missing(stacks: Stacks) -> list[Json]:
    return [
        a for a in stacks["Data"].properties(ALARM) if a["Namespace"] == "AWS/Backup" and "Completed" in a["MetricName"]
    ]


def _absence(stacks: Stacks) -> None:
    for alarm in _missing(stacks):
        alarm["TreatMissingData"] = "notBreaching"


@promise(
    absence=_absence,
    no_alarms=without(ALARM),
    no_rule=without("AWS::Events::Rule"),
    another_vault=setting("AWS::Events::Rule", "EventPattern.detail.$or", [{"backupVaultName": ["other"]}]),
    expired_jobs=setting("AWS::Events::Rule", "EventPattern.detail.state", ["FAILED"]),
    nobody=setting("AWS::Events::Rule", "Targets", []),
)
def test_a_backup_that_failed_or_was_never_made_is_heard_of(stacks: Stacks) -> None:
    """Never made: an account that has not opted in to Aurora makes none, and AWS Backup says nothing of it."""
    if not stacks.settings.backup.enabled:
        return
    vaults = {alarm["Dimensions"][0]["Value"] for alarm in _missing(stacks)}
    copies = {stacks.settings.resource_name("copies")} if stacks.settings.backup.copy_region else set[str]()
    assert vaults == {stacks.settings.resource_name("backups")} | copies
    for alarm in _missing(stacks):
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["Period"] * alarm["EvaluationPeriods"] == 2 * 24 * 60 * 60
    rules = [
        r for r in stacks["Data"].properties("AWS::Events::Rule") if r["EventPattern"].get("source") == ["aws.backup"]
    ]
    assert len(rules) == 1
    pattern = rules[0]["EventPattern"]
    assert set(pattern["detail-type"]) == {"Backup Job State Change", "Copy Job State Change"}
    assert set(pattern["detail"]["state"]) == {"ABORTED", "EXPIRED", "FAILED"}
    ((vault, _),) = stacks["Data"].resources(VAULT).items()
    named = [reference(value) for way in pattern["detail"]["$or"] for values in way.values() for value in values]
    assert named == [vault, vault]
    assert ["Alarms" in reference(target["Arn"]) for target in rules[0]["Targets"]] == [True]


def test_a_lock_is_only_there_where_the_settings_ask_for_it_and_can_be_taken_back_for_three_days(alone: Path) -> None:
    assert read_environment("prod").backup.lock_days == 0
    (stack,) = read_application(alone / "locks").values()
    locks = {p["BackupVaultName"]: p.get("LockConfiguration") for p in stack.properties(VAULT)}
    assert locks == {
        "sanctum-prod-lock0": None,
        "sanctum-prod-lock30": {"MinRetentionDays": 30, "ChangeableForDays": 3},
    }


def test_in_any_time_zone_nothing_is_done_to_the_database_at_the_same_time() -> None:
    for first in range(24):
        quiet = QuietHours(first=first)
        backup, maintenance = (window.split("-") for window in (quiet.database_backup, quiet.database_maintenance))
        hours = [int(backup[0][:2]), int(backup[1][:2]), int(maintenance[0][4:6]), int(maintenance[1][4:6])]
        assert [(hour - first) % 24 for hour in hours] == [0, 1, 1, 2]
        days = [maintenance[0][:3], maintenance[1][:3]]
        assert days == ["sun" if first + after < 24 else "mon" for after in (1, 2)]
        assert quiet.copies == f"cron(0 {(first + 4) % 24} * * ? *)"  # two hours after the maintenance at the least
