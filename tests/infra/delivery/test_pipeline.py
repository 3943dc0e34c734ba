"""The pipeline tests every commit, deploys stage after stage, and has no right that it does not use."""

import json
import re
from dataclasses import replace
from pathlib import Path

import yaml
from aws_cdk import aws_codebuild as codebuild

from infra.delivery.checks import CHECKS, told_by
from infra.preflight.checks.builds import AT_ONCE
from tests.infra.delivery.promise import pipeline_promise, pipeline_stacks
from tests.infra.delivery.read import (
    COMMANDS,
    ENVIRONMENTS,
    SETTINGS,
    actions_of,
    builds_of,
    buildspec_of,
    pipeline_of,
    statements_of,
)
from tests.infra.promise import Stacks, setting, without
from tests.infra.template import Json, Template, reference

ROOT = Path(__file__).resolve().parents[3]
PINNED: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
ACCOUNTS = {name: environment.account.id for name, environment in ENVIRONMENTS.items()}


@pipeline_promise(
    other_order=lambda stacks: pipeline_of(stacks)["Stages"].reverse(),
    no_self_update=lambda stacks: pipeline_of(stacks)["Stages"].__delitem__(2),
    old_type=setting("AWS::CodePipeline::Pipeline", "PipelineType", "V1"),
)
def test_a_commit_is_built_then_updates_the_pipeline_and_is_deployed_stage_after_stage(stacks: Stacks) -> None:
    pipeline = pipeline_of(stacks)
    assert pipeline["PipelineType"] == "V2"
    deployed = [stage.environment for stage in SETTINGS.stages]
    assert [s["Name"] for s in pipeline["Stages"]] == ["Source", "Build", "UpdatePipeline", "Assets", *deployed]
    assert pipeline["RestartExecutionOnUpdate"]


def _with_tests_later(stacks: Stacks) -> None:
    build, _, assets = pipeline_of(stacks)["Stages"][1:4]
    assets["Actions"].append(build["Actions"].pop())


@pipeline_promise(
    no_tests=lambda stacks: pipeline_of(stacks)["Stages"][1]["Actions"].pop(),
    tests_of_nothing=lambda stacks: builds_of(stacks)["TestRest"]["Source"].update(
        BuildSpec='{"phases": {"install": {}, "build": {"commands": ["make synth"]}}}'
    ),
    tests_after_the_pipeline_has_changed=_with_tests_later,
    one_after_the_other=lambda stacks: pipeline_of(stacks)["Stages"][1]["Actions"][1].update(RunOrder=2),
    skips_pass=lambda stacks: builds_of(stacks)["TestRest"]["Environment"].update(EnvironmentVariables=[]),
)
def test_every_commit_is_checked_tested_and_proved_at_the_same_time_before_anything_of_it_goes_on(
    stacks: Stacks,
) -> None:
    stage = pipeline_of(stacks)["Stages"][1]
    assert {action["Name"]: action["RunOrder"] for action in stage["Actions"]} == dict.fromkeys(COMMANDS, 1)
    for name, command in COMMANDS.items():
        build = builds_of(stacks)[name]
        phases = buildspec_of(build)["phases"]
        assert phases["build"]["commands"] == [command]
        assert "commands" not in phases["install"]
        # Of it the tests know that a skip has to be on the list.
        ci = {"Name": "CI", "Type": "PLAINTEXT", "Value": "true"}
        assert ci in build["Environment"]["EnvironmentVariables"]
    outputs = buildspec_of(builds_of(stacks)["Synth"])["artifacts"]["secondary-artifacts"]
    assert {output["base-directory"] for output in outputs.values()} == {"build/cdk.out", "build/release"}


@pipeline_promise(smallest=setting("AWS::CodeBuild::Project", "Environment.ComputeType", "BUILD_GENERAL1_SMALL"))
def test_each_build_of_a_commit_has_the_memory_that_it_needs(stacks: Stacks) -> None:
    """The types need 3.4 GiB; the smallest machine has 3, the next 7 and the other 15."""
    sizes = {name: builds_of(stacks)[name]["Environment"]["ComputeType"] for name in COMMANDS}
    medium, large = "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE"
    assert sizes == dict.fromkeys(COMMANDS, large) | {"Check": medium}
    # Of so many at the same time the preflight asks the account.
    at_once = {kind: [*sizes.values()].count(f"BUILD_GENERAL1_{kind.upper()}") for kind in ("Large", "Medium")}
    assert {f"Linux/{kind}": number for kind, number in at_once.items()}.items() <= AT_ONCE.items()


@pipeline_promise(
    said_of_synth_alone=lambda stacks: pipeline_of(stacks)["Stages"][1]["Actions"][2]["Configuration"].pop(
        "EnvironmentVariables"
    ),
)
def test_what_changes_a_build_of_a_commit_changes_the_pipeline_which_then_starts_anew(stacks: Stacks) -> None:
    told = {
        action["Name"]: json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
        for stage, action in actions_of(stacks)
        if stage == "Build"
    }
    assert [*told] == [*COMMANDS]
    assert all([row["name"] for row in rows] == ["_PROJECT_CONFIG_HASH"] for rows in told.values())
    assert len({rows[0]["value"] for rows in told.values()}) == len(COMMANDS)


def test_what_is_said_of_a_build_changes_with_its_command_and_its_size() -> None:
    check = CHECKS[0]
    others = (replace(check, goal="test"), replace(check, size=codebuild.ComputeType.X2_LARGE))
    assert len({told_by(each) for each in (check, *others)}) == 1 + len(others)
    assert told_by(check) == told_by(replace(check))


@pipeline_promise(
    every_build=setting("AWS::CodeBuild::Project", "Environment.PrivilegedMode", value=True),
    old_image=setting("AWS::CodeBuild::Project", "Environment.Image", "aws/codebuild/standard:7.0"),
    emulated=setting("AWS::CodeBuild::Project", "Environment.Type", "LINUX_CONTAINER"),
)
def test_only_the_build_of_images_is_privileged_and_it_runs_on_their_own_architecture(stacks: Stacks) -> None:
    environments = {name: project["Environment"] for name, project in builds_of(stacks).items()}
    assert [name for name, e in environments.items() if e["PrivilegedMode"]] == ["DockerAssets"]
    assert environments["DockerAssets"]["Type"] == "ARM_CONTAINER"
    images = {"LINUX_CONTAINER": "aws/codebuild/standard:8.0"}
    images["ARM_CONTAINER"] = "aws/codebuild/amazonlinux-aarch64-standard:4.0"
    assert {e["Type"]: e["Image"] for e in environments.values()} == images


@pipeline_promise(
    newest=lambda stacks: builds_of(stacks)["SelfMutate"]["Source"].update(
        BuildSpec='{"phases": {"install": {"commands": ["npm install -g aws-cdk"]}}}'
    )
)
def test_the_pipeline_updates_itself_with_the_pinned_command(stacks: Stacks) -> None:
    phases = buildspec_of(builds_of(stacks)["SelfMutate"])["phases"]
    assert phases["install"]["commands"] == [f"npm install -g aws-cdk@{PINNED['aws-cdk']}"]
    assert phases["build"]["commands"] == ["cdk -a . deploy pipeline --require-approval=never --verbose"]


def test_images_and_files_are_published_by_the_pinned_command_which_reads_the_assembly(
    assembly: Path, application: dict[str, Template]
) -> None:
    projects = builds_of(pipeline_stacks(application))
    for name in ("DockerAssets", "FileAssets"):
        spec = yaml.safe_load((assembly / projects[name]["Source"]["BuildSpec"]).read_text())
        assert spec["phases"]["install"]["commands"] == [f"npm install -g cdk-assets@{PINNED['cdk-assets']}"]
        published = [re.match(r'cdk-assets --path "([^"]+)"', c) for c in spec["phases"]["build"]["commands"]]
        assert published
        for command in published:
            assert command
            assert (assembly / command[1]).is_file()


@pipeline_promise(
    one_name_alone=setting(
        "AWS::IAM::Policy", "PolicyDocument.Statement.0.Action", "codestar-connections:UseConnection"
    ),
)
def test_the_source_may_use_the_connection_by_both_names_of_its_service(stacks: Stacks) -> None:
    (source,) = [a for stage, a in actions_of(stacks) if stage == "Source"]
    assert source["Configuration"]["ConnectionArn"] == SETTINGS.source.connection_arn
    builds = [builds_of(stacks)[name]["ServiceRole"] for name in COMMANDS]
    for role in (reference(source["RoleArn"]), *map(reference, builds)):
        allowed = [s["Action"] for s in statements_of(stacks, role) if s["Resource"] == SETTINGS.source.connection_arn]
        assert allowed == [["codeconnections:UseConnection", "codestar-connections:UseConnection"]]


@pipeline_promise(
    no_key=without("AWS::S3::Bucket", "BucketEncryption"),
    public=without("AWS::S3::Bucket", "PublicAccessBlockConfiguration"),
    plain_http=without("AWS::S3::BucketPolicy"),
    key_of_aws=without("AWS::CodePipeline::Pipeline", "ArtifactStores"),
    key_for_ever=setting("AWS::KMS::Key", "EnableKeyRotation", value=False),
)
def test_artifacts_are_encrypted_with_keys_of_their_own_and_travel_over_tls(stacks: Stacks) -> None:
    stores = pipeline_of(stacks).get("ArtifactStores", [])
    assert [s["ArtifactStore"]["EncryptionKey"]["Type"] for s in stores] == ["KMS", "KMS"]
    assert all(key["EnableKeyRotation"] for key in stacks.properties("AWS::KMS::Key"))
    buckets = list(stacks.resources("AWS::S3::Bucket"))
    assert len(buckets) == len(stores)
    for logical_id, bucket in buckets:
        (rule,) = bucket["Properties"].get("BucketEncryption", {"ServerSideEncryptionConfiguration": [{}]})[
            "ServerSideEncryptionConfiguration"
        ]
        assert rule.get("ServerSideEncryptionByDefault", {}).get("SSEAlgorithm") == "aws:kms"
        assert set(bucket["Properties"].get("PublicAccessBlockConfiguration", {}).values()) == {True}
        policies = [p for p in stacks.properties("AWS::S3::BucketPolicy") if p["Bucket"] == {"Ref": logical_id}]
        denied = [s for p in policies for s in p["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied]


def _go_with_the_stack(stacks: Stacks) -> None:
    for _, resource in stacks.resources("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"):
        del resource["DeletionPolicy"]


@pipeline_promise(
    gone_with_the_stack=_go_with_the_stack,
)
def test_nothing_of_the_pipeline_that_holds_data_goes_with_its_stack(stacks: Stacks) -> None:
    for _, resource in stacks.resources("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"):
        assert (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == ("Retain", "Retain")
    assert all(template.termination_protection for template in stacks.templates.values())


@pipeline_promise(
    no_key=without("AWS::Logs::LogGroup", "KmsKeyId"),
    for_ever=without("AWS::Logs::LogGroup", "RetentionInDays"),
    groups_of_its_own=without("AWS::CodeBuild::Project", "LogsConfig"),
    key_that_logs_may_not_use=setting("AWS::KMS::Key", "KeyPolicy.Statement.1.Principal.Service", "s3.amazonaws.com"),
)
def test_builds_write_to_a_log_group_that_is_encrypted_and_kept_as_long_as_the_settings_say(stacks: Stacks) -> None:
    ((logical_id, group),) = stacks["pipeline"].resources("AWS::Logs::LogGroup").items()
    assert group["Properties"].get("RetentionInDays") == SETTINGS.logs.retention_days
    for project in builds_of(stacks).values():
        assert project.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName") == {"Ref": logical_id}
    key = stacks["pipeline"].resources().get(reference(group["Properties"].get("KmsKeyId", "")))
    assert key
    statements: list[Json] = key["Properties"]["KeyPolicy"]["Statement"]
    users = [s for s in statements if s["Principal"].get("Service") == "logs.us-east-1.amazonaws.com"]
    assert len(users) == 1
    pattern: str = users[0]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert re.fullmatch(
        pattern.replace("*", ".*"), f"{pattern.rpartition(':')[0]}:{group['Properties']['LogGroupName']}"
    )


def test_the_pipeline_reaches_no_environment_that_it_does_not_deploy(application: dict[str, Template]) -> None:
    delivered = {stage.environment for stage in SETTINGS.stages}
    others = {account for name, account in ACCOUNTS.items() if name not in delivered}
    assert others
    text = json.dumps([t.body for name, t in application.items() if name.startswith("pipeline")])
    assert [account for account in others if account in text] == []
