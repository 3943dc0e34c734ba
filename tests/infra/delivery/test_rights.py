"""What each build of the pipeline may do: exactly this."""

from collections.abc import Callable
from typing import Any, Final

from infra.guards.names import READER
from tests.infra.delivery.promise import pipeline_promise
from tests.infra.delivery.read import ENVIRONMENTS, SETTINGS, builds_of, statements_of
from tests.infra.promise import Mutation, Stacks
from tests.infra.template import Json, as_list, reference

ACCOUNT: Final = SETTINGS.account.id
LOG: Final = {f"logs:{action} on log" for action in ("CreateLogStream", "PutLogEvents")}
READ: Final = {
    *(f"s3:{action} on artifacts" for action in ("GetBucket*", "GetObject*", "List*")),
    *(f"s3:{action} on artifacts/*" for action in ("GetBucket*", "GetObject*", "List*")),
    *(f"kms:{action} on key" for action in ("Decrypt", "DescribeKey")),
}
PUT: Final = ("", "LegalHold", "Retention", "Tagging", "VersionTagging")
WRITE: Final = {
    f"s3:{action} on {where}"
    for action in ("Abort*", "DeleteObject*", *(f"PutObject{what}" for what in PUT))
    for where in ("artifacts", "artifacts/*")
} | {f"kms:{action} on key" for action in ("Encrypt", "GenerateDataKey*", "ReEncrypt*")}
KEEP: Final = {
    right.replace("artifacts/*", "artifacts/downloads/*") for right in WRITE if not right.endswith(" artifacts")
}
CONNECT: Final = {f"{name}:UseConnection on connection" for name in ("codeconnections", "codestar-connections")}
# The tag is of the roles of the bootstrap that deploy and publish; the others look at the bootstrap before.
UPDATE: Final = {
    f"sts:AssumeRole on arn:*:iam::{ACCOUNT}:role/* if iam:ResourceTag/aws-cdk:bootstrap-role",
    "cloudformation:DescribeStacks on *",
    "s3:ListBucket on *",
}


def _bootstrapped(role: str) -> set[str]:
    """That a role of each environment's bootstrap is taken on."""
    accounts = [ENVIRONMENTS[stage.environment].account for stage in SETTINGS.stages]
    return {
        f"sts:AssumeRole on arn:<partition>:iam::{a.id}:role/cdk-hnb659fds-{role}-{a.id}-{a.region}" for a in accounts
    }


EXPECTED: Final = {
    "Synth": LOG | READ | WRITE | CONNECT,
    "Check": LOG | READ | KEEP | CONNECT,
    "TestServices": LOG | READ | KEEP | CONNECT,
    "TestSystem": LOG | READ | KEEP | CONNECT,
    "TestFaults": LOG | READ | KEEP | CONNECT,
    "TestRest": LOG | READ | KEEP | CONNECT,
    "SelfMutate": LOG | READ | UPDATE,
    "DockerAssets": LOG | READ | _bootstrapped("image-publishing-role"),
    "FileAssets": LOG | READ | _bootstrapped("file-publishing-role"),
    **{
        f"{stage.environment}/Guard": LOG
        | READ
        | {f"sts:AssumeRole on arn:aws:iam::{ENVIRONMENTS[stage.environment].account.id}:role/{READER}"}
        for stage in SETTINGS.stages
    },
    **{f"{stage.environment}/Smoke": LOG | READ for stage in SETTINGS.stages},
}


def _text(value: Any, names: dict[str, str]) -> str:
    """An ARN as it reads when it is deployed, with short names for what the pipeline has itself."""
    if isinstance(value, str):
        return "connection" if value == SETTINGS.source.connection_arn else value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(_text(part, names) for part in parts)
    if "Fn::Sub" in value:
        return value["Fn::Sub"].replace("${AWS::Partition}", "<partition>")
    return names[reference(value)]


def _rights(stacks: Stacks, build: Json) -> set[str]:
    short = {"Artifacts8": "artifacts", "ArtifactsKey": "key", "Builds": "log", "Key": "key of news"}
    names = {"AWS::Partition": "<partition>"} | {
        logical_id: next(name for start, name in short.items() if logical_id.startswith(start))
        for logical_id in stacks["pipeline"].resources("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup")
    }
    return {
        f"{action} on {_text(resource, names)}"
        + "".join(f" if {key}" for test in statement.get("Condition", {}).values() for key in test)
        for statement in statements_of(stacks, reference(build["ServiceRole"]))
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if statement["Effect"] == "Allow"
    }


def _granting(action: str, resource: object) -> Mutation:
    """Give every build one right more."""

    def mutate(stacks: Stacks) -> None:
        for policy in stacks["pipeline"].properties("AWS::IAM::Policy"):
            policy["PolicyDocument"]["Statement"].append({"Effect": "Allow", "Action": action, "Resource": resource})

    return mutate


def _without_condition(stacks: Stacks) -> None:
    for policy in stacks["pipeline"].properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            statement.pop("Condition", None)


def _in_one_of(what: str, change: Callable[[Json], None]) -> Mutation:
    """Change the policy of the role whose logical id begins with ``what``."""

    def mutate(stacks: Stacks) -> None:
        for policy in stacks["pipeline"].properties("AWS::IAM::Policy"):
            if any(reference(role).startswith(what) for role in policy["Roles"]):
                change(policy)

    return mutate


def _reader_elsewhere(policy: Json) -> None:
    for statement in policy["PolicyDocument"]["Statement"]:
        if statement["Action"] == "sts:AssumeRole":
            statement["Resource"] = f"arn:aws:iam::{ENVIRONMENTS['prod'].account.id}:role/{READER}"


def _writing_everywhere(policy: Json) -> None:
    for statement in policy["PolicyDocument"]["Statement"]:
        if "s3:PutObject" in statement["Action"]:
            statement["Resource"][0]["Fn::Join"][1][-1] = "/*"


@pipeline_promise(
    everything_of_s3=_granting("s3:*", "*"),
    pass_a_role=_granting("iam:PassRole", "*"),
    make_log_groups=_granting("logs:CreateLogGroup", "*"),
    start_builds=_granting("codebuild:StartBuild", "*"),
    deploy=_granting(
        "sts:AssumeRole", f"arn:aws:iam::{ENVIRONMENTS['prod'].account.id}:role/cdk-hnb659fds-deploy-role"
    ),
    any_role_of_the_account=_without_condition,
    guard_of_staging_reads_prod=_in_one_of("Guardstaging", _reader_elsewhere),
    tests_that_could_put_another_release_there=_in_one_of("TestRestRole", _writing_everywhere),
    smoke_with_rights=_in_one_of(
        "Smokeprod",
        lambda p: p["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "*"}
        ),
    ),
    guard_that_may_not_read=_in_one_of("Guardprod", lambda p: p["PolicyDocument"]["Statement"].pop(1)),
)
def test_a_build_has_the_rights_it_uses_and_no_other(stacks: Stacks) -> None:
    assert {name: _rights(stacks, build) for name, build in builds_of(stacks).items()} == EXPECTED


def _one_role_for_all(stacks: Stacks) -> None:
    for build in builds_of(stacks).values():
        build["ServiceRole"] = builds_of(stacks)["Synth"]["ServiceRole"]


@pipeline_promise(one_for_all=_one_role_for_all)
def test_every_build_acts_as_a_role_of_its_own(stacks: Stacks) -> None:
    roles = [reference(build["ServiceRole"]) for build in builds_of(stacks).values()]
    assert len({*roles}) == len(roles)
