"""Before a deployment: what is stateful is kept, or somebody has written down why not."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.delivery import guard
from infra.delivery.credentials import WrongAccount, in_account
from infra.delivery.deployed import DeployedStack, write_assembly
from infra.preflight.aws import AwsError
from infra.settings import read_environment
from tests.infra.preflight.recorded import Answer, Answers, RecordedSession, Refused
from tests.infra.template import Template
from tests.support.aws import with_credentials

PROD = read_environment("prod")
HOME, COPIES = PROD.account.region, str(PROD.backup.copy_region)
THEN = datetime(2026, 11, 1, tzinfo=UTC)

Json = dict[str, Any]


def _bucket(path: str, **properties: str) -> Json:
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": properties,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"aws:cdk:path": f"pipeline/prod/{path}/Resource"},
    }


DATA: Json = {"Resources": {"Exports": _bucket("Data/Exports", BucketName="sanctum-prod-exports")}}
COPY: Json = {"Resources": {"Copies": _bucket("BackupCopy/Copies", BucketName="sanctum-prod-copies")}}
BOTH = {(HOME, "prod-Data"): DATA, (COPIES, "prod-BackupCopy"): COPY}


def _cloud(
    deployed: dict[tuple[str, str], Json], *, status: str = "UPDATE_COMPLETE", account: str = PROD.account.id
) -> RecordedSession:
    """CloudFormation in the account of production, with the stacks that are deployed by region and name."""

    def summary(name: str) -> Json:
        return {"StackName": name, "StackStatus": status, "CreationTime": THEN}

    def listed(region: str, _: Json) -> Answer:
        return {"StackSummaries": [summary(name) for there, name in deployed if there == region]}

    def described(region: str, asked: Json) -> Answer:
        name = asked["StackName"]
        if (region, name) not in deployed:
            return Refused(f"ValidationError: Stack with id {name} does not exist")
        return {"Stacks": [summary(name) | {"EnableTerminationProtection": True}]}

    def template(region: str, asked: Json) -> Answer:
        assert asked["TemplateStage"] == "Original"
        return {"TemplateBody": json.dumps(deployed[region, asked["StackName"]])}

    answers: Answers = {
        "sts.GetCallerIdentity": {"Account": account},
        "cloudformation.ListStacks": listed,
        "cloudformation.DescribeStacks": described,
        "cloudformation.GetTemplate": template,
    }
    return RecordedSession(answers)


def _guard(assembly: Path, session: RecordedSession, *more: str) -> int:
    return guard.main(["prod", str(assembly), *more], session=session)  # pyright: ignore[reportArgumentType]  # stands for it


@pytest.fixture
def new(tmp_path: Path) -> Callable[..., Path]:
    """Writes an assembly of production as it is to be deployed."""

    def write(*, protected: bool = True, **templates: Json) -> Path:
        folder = tmp_path / "cdk.out" / "assembly-pipeline-prod"
        folder.mkdir(parents=True)
        regions = {"BackupCopy": COPIES}
        stacks = [
            DeployedStack(f"prod-{name}", PROD.account.id, regions.get(name, HOME), protected, template)
            for name, template in templates.items()
        ]
        write_assembly(stacks, folder)
        return folder.parent

    return write


def test_where_nothing_is_deployed_nothing_can_be_lost(
    new: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    others = _cloud({(HOME, "staging-Data"): DATA})
    assert _guard(new(Data=DATA), others) == guard.KEPT
    told = capsys.readouterr().out
    assert f"Nothing is deployed in prod (account {PROD.account.id}), so nothing can be lost:" in told
    assert "@@ prod-Data" in told


def test_what_is_deployed_already_changes_nothing(new: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert _guard(new(Data=DATA, BackupCopy=COPY), _cloud(BOTH)) == guard.KEPT
    told = capsys.readouterr().out
    assert f"What a deployment changes in prod (account {PROD.account.id}):" in told
    assert "@@" not in told  # before each stack that differs


REMOVED: Json = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
RENAMED: Json = {"Resources": {"Exports": _bucket("Data/Exports", BucketName="sanctum-prod-exports-2")}}


@pytest.mark.parametrize(
    ("stacks", "lost"),
    [
        ({"Data": REMOVED, "BackupCopy": COPY}, "Data/Exports: removed"),
        ({"Data": RENAMED, "BackupCopy": COPY}, "Data/Exports: replaced"),
        ({"Data": DATA, "BackupCopy": REMOVED}, "BackupCopy/Copies: removed"),
        ({"Store": DATA, "BackupCopy": COPY}, "the stack prod-Data is no longer there"),
        ({"Data": DATA, "BackupCopy": COPY, "protected": False}, "weaker termination protection"),
    ],
    ids=["removed", "replaced", "in another region", "a stack by another name", "a stack that may be deleted"],
)
def test_a_change_that_loses_what_is_stateful_is_refused(
    new: Callable[..., Path], capsys: pytest.CaptureFixture[str], stacks: Json, lost: str
) -> None:
    assert _guard(new(**stacks), _cloud(BOTH)) == guard.LOST
    assert lost in capsys.readouterr().out


def _waiver(folder: Path, resource: str, change: str) -> Path:
    file = folder / "waivers.toml"
    file.write_text(
        f'[[waiver]]\nresource = "{resource}"\nchange = "{change}"\n'
        'reason = "Exports move to a bucket of another name, and the old one is kept until the end of the year."\n'
        f'owner = "operations"\nexpires = {datetime.now(UTC).date() + timedelta(days=1)}\n'
    )
    return file


def test_a_waiver_lets_its_own_change_pass_and_no_other(
    new: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assembly = new(Data=RENAMED, BackupCopy=COPY)
    waiver = ("--waivers", str(_waiver(tmp_path, "pipeline/prod/Data/Exports", "replaced")))
    assert _guard(assembly, _cloud(BOTH), *waiver) == guard.KEPT
    assert "pipeline/prod/Data/Exports: replaced" in capsys.readouterr().out
    _waiver(tmp_path, "pipeline/prod/Data/Exports", "removed")
    assert _guard(assembly, _cloud(BOTH), *waiver) == guard.LOST


def test_a_waiver_of_what_is_done_or_of_another_environment_does_not_stop_a_deployment(
    new: Callable[..., Path], tmp_path: Path
) -> None:
    waiver = ("--waivers", str(_waiver(tmp_path, "pipeline/prod/Data/Exports", "replaced")))
    done = _cloud({(HOME, "prod-Data"): RENAMED})
    assert _guard(new(Data=RENAMED), done, *waiver) == guard.KEPT


def test_an_account_is_not_taken_for_an_empty_one_with_the_credentials_of_another(
    new: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _guard(new(Data=REMOVED), _cloud({}, account="123456789012")) == guard.UNKNOWN
    assert f"the environment is in {PROD.account.id}" in capsys.readouterr().err


def test_without_an_assembly_nothing_passes(tmp_path: Path) -> None:
    assert _guard(tmp_path, _cloud({})) == guard.UNKNOWN


def test_a_stack_that_is_being_changed_is_not_judged(
    new: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _guard(new(Data=DATA), _cloud(BOTH, status="UPDATE_ROLLBACK_IN_PROGRESS")) == guard.UNKNOWN
    assert f"prod-Data in {HOME} is UPDATE_ROLLBACK_IN_PROGRESS" in capsys.readouterr().err


@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_stack_without_resources_is_not_there(
    new: Callable[..., Path], capsys: pytest.CaptureFixture[str], status: str
) -> None:
    assert _guard(new(Data=REMOVED), _cloud(BOTH, status=status)) == guard.KEPT
    assert "Nothing is deployed in prod" in capsys.readouterr().out


def test_an_answer_that_is_refused_is_no_answer(capsys: pytest.CaptureFixture[str], new: Callable[..., Path]) -> None:
    session = _cloud(BOTH)
    session.answers = {**session.answers, "cloudformation.ListStacks": Refused("AccessDenied: no")}
    assert _guard(new(Data=DATA), session) == guard.UNKNOWN
    assert "needs cloudformation:ListStacks" in capsys.readouterr().err


def test_how_many_claims_hold_is_told_where_the_proof_is_at_hand(
    capsys: pytest.CaptureFixture[str], new: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = new(Data=DATA)
    monkeypatch.chdir(tmp_path)
    _guard(assembly, _cloud({}))
    assert "evidence.md is not here" in capsys.readouterr().out
    guard.EVIDENCE.parent.mkdir(parents=True)
    guard.EVIDENCE.write_text("# Evidence\n\n86 claims: 84 computed, 2 measured, 0 broken, 0 refused.\n")
    _guard(assembly, _cloud({}))
    assert "templates: 86 claims: 84 computed, 2 measured, 0 broken, 0 refused. (build" in capsys.readouterr().out


def test_the_role_that_reads_is_taken_on_in_the_account_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials(monkeypatch)
    with mock_aws():
        with pytest.raises(WrongAccount):
            in_account(PROD.account, boto3.Session())
        role = f"arn:aws:iam::{PROD.account.id}:role/sanctum-guard-reader"
        taken_on = in_account(PROD.account, boto3.Session(), role=role)
        assert ":assumed-role/sanctum-guard-reader/" in taken_on.ask("sts", "get_caller_identity")["Arn"]


def test_a_role_that_cannot_be_taken_on_is_named_with_the_command_that_makes_it() -> None:
    session = RecordedSession({"sts.AssumeRole": Refused("AccessDenied: not authorized")})
    with pytest.raises(AwsError, match=r"role/reader cannot be taken on \(make bootstrap makes it\)"):
        in_account(PROD.account, session, role="arn:aws:iam::777788889999:role/reader")  # pyright: ignore[reportArgumentType]  # stands for it


@pytest.fixture
def really_deployed(templates: dict[tuple[str, str], Template]) -> dict[tuple[str, str], Json]:
    """Everything that the repository deploys to production."""
    regions = {"BackupCopy": COPIES}
    return {
        (regions.get(stack, HOME), f"prod-{stack}"): copy.deepcopy(template.body)
        for (environment, stack), template in templates.items()
        if environment == "prod"
    }


def test_all_that_this_repository_deploys_is_understood(
    assembly: Path, really_deployed: dict[tuple[str, str], Json], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _guard(assembly, _cloud(really_deployed)) == guard.KEPT
    assert "@@" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stack", "type_", "where"),
    [
        ((HOME, "prod-Data"), "AWS::RDS::DBCluster", "prod/Data/Users"),
        ((HOME, "prod-Data"), "AWS::OpenSearchService::Domain", "prod/Data/Memory/Domain"),
        ((COPIES, "prod-BackupCopy"), "AWS::Backup::BackupVault", "prod/BackupCopy"),
        ((HOME, "prod-Compute"), "AWS::KMS::Key", "prod/Compute/TasksKey"),
    ],
)
def test_what_this_repository_must_never_lose_is_missed(
    assembly: Path,
    really_deployed: dict[tuple[str, str], Json],
    capsys: pytest.CaptureFixture[str],
    *,
    stack: tuple[str, str],
    type_: str,
    where: str,
) -> None:
    """One more of it is deployed than the templates of this commit have."""
    resources = really_deployed[stack]["Resources"]
    one = copy.deepcopy(next(resource for resource in resources.values() if resource["Type"] == type_))
    one["Metadata"]["aws:cdk:path"] = f"pipeline/{where}2/Resource"
    resources["More"] = one
    assert _guard(assembly, _cloud(really_deployed)) == guard.LOST
    assert f"pipeline/{where}2: removed" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_templates_of_an_environment_are_found_where_the_synth_writes_them(name: str, assembly: Path) -> None:
    assert (guard.synthesized(read_environment(name), assembly) / "manifest.json").is_file()
