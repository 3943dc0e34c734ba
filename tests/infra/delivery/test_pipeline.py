"""The pipeline tests every commit, deploys stage after stage, and has no right that it does not use."""

import json
import re
from pathlib import Path

import yaml

from infra.delivery.settings import read_pipeline
from infra.settings import read_environments
from tests.infra.delivery.promise import pipeline_promise, pipeline_stacks
from tests.infra.promise import Stacks, setting, without
from tests.infra.template import Json, Template, as_list, reference, strings

ROOT = Path(__file__).resolve().parents[3]
PINNED: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
SETTINGS = read_pipeline(read_environments())
assert SETTINGS
ACCOUNTS = {environment.name: environment.account.id for environment in read_environments()}


def _pipeline(stacks: Stacks) -> Json:
    return stacks["pipeline"].only("AWS::CodePipeline::Pipeline")


def _actions(stacks: Stacks) -> list[tuple[str, Json]]:
    """Stage and action, in the order in which they run."""
    return [
        (stage["Name"], action)
        for stage in _pipeline(stacks)["Stages"]
        for action in sorted(stage["Actions"], key=lambda a: a["RunOrder"])
    ]


def _project(stacks: Stacks, action: Json) -> Json:
    return stacks["pipeline"].resources()[reference(action["Configuration"]["ProjectName"])]["Properties"]


def _projects(stacks: Stacks) -> dict[str, Json]:
    return {a["Name"]: _project(stacks, a) for _, a in _actions(stacks) if a["ActionTypeId"]["Provider"] == "CodeBuild"}


def _statements(stacks: Stacks, role: str) -> list[Json]:
    """What the policies of a role say."""
    policies = [p for p in stacks["pipeline"].properties("AWS::IAM::Policy") if {"Ref": role} in p["Roles"]]
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def _buildspec(project: Json) -> Json:
    return json.loads(project["Source"]["BuildSpec"])


@pipeline_promise(
    other_order=lambda stacks: _pipeline(stacks)["Stages"].reverse(),
    no_self_update=lambda stacks: _pipeline(stacks)["Stages"].__delitem__(2),
    old_type=setting("AWS::CodePipeline::Pipeline", "PipelineType", "V1"),
)
def test_a_commit_is_built_then_updates_the_pipeline_and_is_deployed_stage_after_stage(stacks: Stacks) -> None:
    assert SETTINGS
    pipeline = _pipeline(stacks)
    assert pipeline["PipelineType"] == "V2"
    deployed = [stage.environment for stage in SETTINGS.stages]
    assert [s["Name"] for s in pipeline["Stages"]] == ["Source", "Build", "UpdatePipeline", "Assets", *deployed]
    assert pipeline["RestartExecutionOnUpdate"]


@pipeline_promise(
    no_approval=lambda stacks: _pipeline(stacks)["Stages"][-1]["Actions"].__delitem__(0),
    approval_later=lambda stacks: _pipeline(stacks)["Stages"][-1]["Actions"][0].update(RunOrder=9),
)
def test_somebody_approves_before_anything_of_an_environment_with_approval_changes(stacks: Stacks) -> None:
    assert SETTINGS
    first = dict(reversed(_actions(stacks)))
    for stage in SETTINGS.stages:
        provider = first[stage.environment]["ActionTypeId"]["Provider"]
        assert (provider == "Manual") == stage.approval


@pipeline_promise(
    no_tests=lambda stacks: _project(stacks, _actions(stacks)[1][1])["Source"].update(
        BuildSpec='{"phases": {"build": {"commands": ["make synth"]}}}'
    )
)
def test_every_commit_passes_checks_and_tests_before_anything_is_deployed(stacks: Stacks) -> None:
    spec = _buildspec(_projects(stacks)["Synth"])
    assert spec["phases"]["build"]["commands"] == ["make check test scan"]
    assert "commands" not in spec["phases"]["install"]
    assert spec["artifacts"]["base-directory"] == "build/cdk.out"


@pipeline_promise(
    every_build=setting("AWS::CodeBuild::Project", "Environment.PrivilegedMode", value=True),
    old_image=setting("AWS::CodeBuild::Project", "Environment.Image", "aws/codebuild/standard:7.0"),
    emulated=setting("AWS::CodeBuild::Project", "Environment.Type", "LINUX_CONTAINER"),
)
def test_only_the_build_of_images_is_privileged_and_it_runs_on_their_own_architecture(stacks: Stacks) -> None:
    environments = {name: project["Environment"] for name, project in _projects(stacks).items()}
    assert [name for name, e in environments.items() if e["PrivilegedMode"]] == ["DockerAssets"]
    assert environments["DockerAssets"]["Type"] == "ARM_CONTAINER"
    images = {"LINUX_CONTAINER": "aws/codebuild/standard:8.0"}
    images["ARM_CONTAINER"] = "aws/codebuild/amazonlinux-aarch64-standard:4.0"
    assert {e["Type"]: e["Image"] for e in environments.values()} == images


@pipeline_promise(
    newest=lambda stacks: _projects(stacks)["SelfMutate"]["Source"].update(
        BuildSpec='{"phases": {"install": {"commands": ["npm install -g aws-cdk"]}}}'
    )
)
def test_the_pipeline_updates_itself_with_the_pinned_command(stacks: Stacks) -> None:
    phases = _buildspec(_projects(stacks)["SelfMutate"])["phases"]
    assert phases["install"]["commands"] == [f"npm install -g aws-cdk@{PINNED['aws-cdk']}"]
    assert phases["build"]["commands"] == ["cdk -a . deploy pipeline --require-approval=never --verbose"]


def test_images_and_files_are_published_by_the_pinned_command_which_reads_the_assembly(
    assembly: Path, application: dict[str, Template]
) -> None:
    projects = _projects(pipeline_stacks(application))
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
    assert SETTINGS
    (source,) = [a for stage, a in _actions(stacks) if stage == "Source"]
    assert source["Configuration"]["ConnectionArn"] == SETTINGS.source.connection_arn
    build = _projects(stacks)["Synth"]["ServiceRole"]
    for role in (reference(source["RoleArn"]), reference(build)):
        allowed = [s["Action"] for s in _statements(stacks, role) if s["Resource"] == SETTINGS.source.connection_arn]
        assert allowed == [["codeconnections:UseConnection", "codestar-connections:UseConnection"]]


WILDCARDS = {
    "UpdatePipelineSelfMutationRole": {"cloudformation:DescribeStacks", "s3:ListBucket"},
}
"""What cannot be narrowed to a resource, by role: looking at stacks and at the buckets of the bootstrap."""


def _grant_everything(stacks: Stacks) -> None:
    for policy in stacks["pipeline"].properties("AWS::IAM::Policy"):
        policy["PolicyDocument"]["Statement"].append({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})


@pipeline_promise(everything_everywhere=_grant_everything)
def test_a_build_has_no_right_that_it_does_not_use(stacks: Stacks) -> None:
    for logical_id in stacks["pipeline"].resources("AWS::IAM::Role"):
        wide = [s for s in _statements(stacks, logical_id) if "*" in as_list(s["Resource"])]
        allowed = next((actions for name, actions in WILDCARDS.items() if name in logical_id), set[str]())
        assert {action for s in wide for action in as_list(s["Action"])} == allowed
    actions = {a for p in stacks["pipeline"].properties("AWS::IAM::Policy") for a in strings(p["PolicyDocument"])}
    assert not actions & {"logs:CreateLogGroup", "codebuild:CreateReportGroup", "iam:PassRole"}


def _assumed(stacks: Stacks, role: str) -> str:
    return json.dumps([s["Resource"] for s in _statements(stacks, role) if s["Action"] == "sts:AssumeRole"])


def _assume_deploy(stacks: Stacks) -> None:
    for policy in stacks["pipeline"].properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "sts:AssumeRole":
                statement["Resource"] = f"arn:aws:iam::{ACCOUNTS['prod']}:role/cdk-hnb659fds-deploy-role"


@pipeline_promise(to_deploy=_assume_deploy)
def test_a_build_takes_on_only_the_role_that_publishes_what_it_builds(stacks: Stacks) -> None:
    projects = _projects(stacks)
    roles = {name: reference(project["ServiceRole"]) for name, project in projects.items()}
    assert set(re.findall(r"role/cdk-hnb659fds-([a-z-]+)-\d", _assumed(stacks, roles["DockerAssets"]))) == {
        "image-publishing-role"
    }
    assert set(re.findall(r"role/cdk-hnb659fds-([a-z-]+)-\d", _assumed(stacks, roles["FileAssets"]))) == {
        "file-publishing-role"
    }
    assert _assumed(stacks, roles["Synth"]) == "[]"
    assert SETTINGS
    assert set(re.findall(r"iam::(\d+):", _assumed(stacks, roles["SelfMutate"]))) == {SETTINGS.account.id}


@pipeline_promise(
    no_key=without("AWS::S3::Bucket", "BucketEncryption"),
    public=without("AWS::S3::Bucket", "PublicAccessBlockConfiguration"),
    plain_http=without("AWS::S3::BucketPolicy"),
    key_of_aws=without("AWS::CodePipeline::Pipeline", "ArtifactStores"),
    key_for_ever=setting("AWS::KMS::Key", "EnableKeyRotation", value=False),
)
def test_artifacts_are_encrypted_with_keys_of_their_own_and_travel_over_tls(stacks: Stacks) -> None:
    stores = _pipeline(stacks).get("ArtifactStores", [])
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
    assert SETTINGS
    ((logical_id, group),) = stacks["pipeline"].resources("AWS::Logs::LogGroup").items()
    assert group["Properties"].get("RetentionInDays") == SETTINGS.logs.retention_days
    for project in _projects(stacks).values():
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


def _approve_in_silence(stacks: Stacks) -> None:
    for _, action in _actions(stacks):
        action["Configuration"].pop("NotificationArn", None)


@pipeline_promise(
    no_rule=without("AWS::Events::Rule"),
    key_that_events_may_not_use=setting("AWS::KMS::Key", "KeyPolicy.Statement.2.Principal.Service", "s3.amazonaws.com"),
    a_topic_that_admits_nobody=without("AWS::SNS::TopicPolicy"),
    a_condition_that_events_never_meet=setting(
        "AWS::KMS::Key", "KeyPolicy.Statement.2.Condition", {"StringEquals": {"aws:SourceAccount": "1"}}
    ),
    nobody=without("AWS::SNS::Subscription"),
    approvals_in_silence=_approve_in_silence,
)
def test_people_are_told_what_failed_and_that_an_approval_is_waited_for(stacks: Stacks) -> None:
    assert SETTINGS
    template = stacks["pipeline"]
    ((topic_id, topic),) = template.resources("AWS::SNS::Topic").items()
    rules = template.properties("AWS::Events::Rule")
    assert [r["EventPattern"]["detail"] for r in rules] == [
        {"pipeline": [_pipeline(stacks)["Name"]], "state": ["FAILED"]}
    ]
    assert [reference(t["Arn"]) for r in rules for t in r["Targets"]] == [topic_id]
    assert {p["Endpoint"] for p in template.properties("AWS::SNS::Subscription")} == {*SETTINGS.notifications.emails}
    admitted = [s for p in template.properties("AWS::SNS::TopicPolicy") for s in p["PolicyDocument"]["Statement"]]
    key = template.resources()[reference(topic["Properties"]["KmsMasterKeyId"])]["Properties"]["KeyPolicy"]
    for statements, action in ((admitted, "sns:Publish"), (key["Statement"], "kms:GenerateDataKey*")):
        own = [s for s in statements if s["Principal"] == {"Service": "events.amazonaws.com"}]
        assert [(action in as_list(s["Action"]), "Condition" in s) for s in own] == [(True, False)]
    waiting = [a for _, a in _actions(stacks) if a["ActionTypeId"]["Provider"] == "Manual"]
    assert waiting
    for action in waiting:
        assert reference(action["Configuration"].get("NotificationArn", "")) == topic_id
        assert "kms:GenerateDataKey*" in json.dumps(_statements(stacks, reference(action["RoleArn"])))


def test_the_pipeline_reaches_no_environment_that_it_does_not_deploy(application: dict[str, Template]) -> None:
    assert SETTINGS
    delivered = {stage.environment for stage in SETTINGS.stages}
    others = {account for name, account in ACCOUNTS.items() if name not in delivered}
    assert others
    text = json.dumps([t.body for name, t in application.items() if name.startswith("pipeline")])
    assert [account for account in others if account in text] == []
