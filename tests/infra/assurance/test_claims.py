"""What the claims say of this application is true of what it deploys, and they say something about all of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.__main__ import CLAIMS, main
from infra.assurance.check import check
from infra.assurance.claims import read_claims
from infra.assurance.facts import Relation
from infra.guards.names import SIGNING
from tests.infra.guards.test_guards import PROD

HARMLESS: dict[str, dict[str, Any]] = {
    "Metric": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "MetricName": "CPUUtilization",
            "Namespace": "AWS/ECS",
            "Period": 60,
            "Statistic": "Average",
            "Threshold": 80,
        },
    },
    "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{}"}},
}


@pytest.fixture
def copy(assembly: Path, tmp_path: Path) -> Path:
    """The assembly without what is large and no template."""
    ignored = shutil.ignore_patterns("asset.*", "tree.json")
    return shutil.copytree(assembly, tmp_path / "cdk.out", ignore=ignored)


def broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a check says that does not hold; nothing if all does."""
    code = main(["check", str(folder), "--no-guard"])
    printed = capsys.readouterr().out
    return "" if code == 0 else printed


def test_every_claim_holds(assembly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not broken(assembly, capsys)


@pytest.mark.parametrize("environment", read_claims(CLAIMS).environments)
def test_every_claim_holds_of_an_environment_by_itself(
    environment: str, assembly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = read_claims(CLAIMS).environments[environment].replace("/", "-")
    assert not broken(assembly / f"assembly-{stage}", capsys)


def test_what_is_harmless_changes_no_claim(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in copy.rglob("*.template.json"):
        template = json.loads(file.read_text())
        template["Resources"].update(HARMLESS)
        template.setdefault("Outputs", {})["Said"] = {"Value": "harmless"}
        file.write_text(json.dumps(template))
    assert not broken(copy, capsys)


def test_every_claim_holds_where_images_are_signed_and_one_not_where_somebody_else_may_sign(
    copy: Path, alone: Path
) -> None:
    name = f"{SIGNING}-{PROD.id}-{PROD.region}"
    for kind in ("template", "metadata"):
        shutil.copy(alone / "signing" / f"{name}.{kind}.json", copy)
    whole, added = (json.loads((folder / "manifest.json").read_text()) for folder in (copy, alone / "signing"))
    whole["artifacts"][name] = added["artifacts"][name]
    (copy / "manifest.json").write_text(json.dumps(whole))
    assert check(copy, CLAIMS, known_rules=False).code == 0
    path = copy / f"{name}.template.json"
    template = json.loads(path.read_text())
    may = template["Resources"]["MaySign"]
    template["Resources"]["Other"] = may | {
        "Metadata": {"aws:cdk:path": f"{name}/Other"},
        "Properties": may["Properties"] | {"RoleName": "Else"},
    }
    path.write_text(json.dumps(template))
    (broken,) = check(copy, CLAIMS, known_rules=False).broken
    row = (f"{name}/Profile", "signed with by", f"role arn:aws:iam::{PROD.id}:role/Else")
    assert ([fact.values for _, fact in broken.extra], broken.missing) == ([row], [])


def test_there_is_a_claim_of_every_relation() -> None:
    assert {claim.relation for claim in read_claims(CLAIMS).claims} == set(Relation)
