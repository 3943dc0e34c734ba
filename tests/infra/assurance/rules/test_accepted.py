"""What is accepted of findings is a row of the register: for one resource, for a reason, by somebody, until a day."""

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.refusal import Refused
from infra.assurance.rules import control_tower, findings
from infra.assurance.rules.accepted import RULE
from tests.infra.assurance.assembly import write

PLAIN = f"{control_tower.JUDGE}::CT.CLOUDWATCH.PR.3"
REASON = "Nothing but the names of the tests is in it."
TODAY = date(2027, 1, 1)


def row(**changes: str) -> str:
    values = {
        "rules": f'["{PLAIN}"]',
        "resources": '["{app}/Lines/Resource"]',
        "reason": f'"{REASON}"',
        "owner": '"security"',
        "expires": "2027-01-01",
        **changes,
    }
    return "\n".join(["[[anywhere]]", *(f"{key} = {value}" for key, value in values.items() if value), ""])


def told(folder: Path, accepted: Mapping[str, Mapping[str, str]], register: str, **properties: Any) -> set[str]:
    """Rule and resource of each finding in an assembly with a log group without a key."""
    path = "stage/a/Lines/Resource"
    lines = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365, **properties}}
    write(folder / "out", {"a": {"Resources": {"Lines": lines}}}, stage="stage")
    manifest = folder / "out" / "assembly-stage" / "manifest.json"
    content = json.loads(manifest.read_text())
    (artifact,) = content["artifacts"].values()
    artifact["metadata"] = {f"/{path}": [{"type": "aws:cdk:logicalId", "data": "Lines"}]}
    for at, rules in accepted.items():
        entry = {"type": "aws:cdk:acknowledged-rules", "data": dict(rules)}
        artifact["metadata"].setdefault(f"/{at}", []).append(entry)
    manifest.write_text(json.dumps(content))
    (folder / "register.toml").write_text(register)
    found = findings(folder / "out", register=folder / "register.toml", today=TODAY)
    return {f"{finding.rule} {finding.resource}" for finding in found}


AT = "stage/a/Lines/Resource"
STANDS = f"{PLAIN} {AT}"
GROUNDLESS = f"{RULE} {AT}"
ROW = f"{RULE} register.toml, [[anywhere]] number 1"
ACCEPTED = {AT: {PLAIN: REASON}}


def test_a_finding_that_nobody_accepts_stands(tmp_path: Path) -> None:
    assert told(tmp_path, {}, "") == {STANDS}


def test_a_finding_with_a_row_on_its_last_day_is_accepted(tmp_path: Path) -> None:
    assert told(tmp_path, ACCEPTED, row()) == set()


WRONG = {
    "expired": row(expires="2026-12-31"),
    "for ever": row(expires="2099-12-31"),
    "vague": row(reason='"because"'),
    "of nobody": row(owner='" "'),
    "of everything": row(resources='["{app}/Lines/Resource", "a/*"]'),
}


@pytest.mark.parametrize("register", WRONG.values(), ids=WRONG)
def test_a_row_that_does_not_hold_is_told(tmp_path: Path, register: str) -> None:
    assert ROW in told(tmp_path, ACCEPTED, register)


OTHER = {
    "no row": "",
    "another reason": row(reason='"Something else is said in the register."'),
    "another rule": row(rules='["ControlTower::CT.S3.PR.1"]'),
    "another resource": row(resources='["{app}/Rows/Resource"]'),
    "the end of a name": row(resources='["ines/Resource"]'),
}


@pytest.mark.parametrize("register", OTHER.values(), ids=OTHER)
def test_what_is_accepted_without_a_row_is_told(tmp_path: Path, register: str) -> None:
    assert told(tmp_path, ACCEPTED, register) == {GROUNDLESS}


def test_another_rule_that_is_accepted_leaves_the_finding(tmp_path: Path) -> None:
    other = "AwsSolutions::AwsSolutions-S1"
    assert told(tmp_path, {AT: {other: REASON}}, row(rules=f'["{other}"]')) == {STANDS}


def test_nothing_is_accepted_for_all_that_is_below(tmp_path: Path) -> None:
    assert told(tmp_path, {"stage/a": {PLAIN: REASON}}, row(resources='["{stage}/a", "a"]'), KmsKeyId="key") == {
        f"{RULE} stage/a"
    }


def test_what_is_accepted_of_a_resource_that_keeps_the_rule_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, ACCEPTED, row(), KmsKeyId="key") == {GROUNDLESS}


@pytest.mark.parametrize("left_out", ["rules", "resources", "reason", "owner", "expires"])
def test_a_row_without_a_key_is_refused(tmp_path: Path, left_out: str) -> None:
    with pytest.raises(Refused, match=f"`{left_out}` is missing"):
        told(tmp_path, ACCEPTED, row(**{left_out: ""}))


def test_what_one_stage_needs_may_be_accepted_in_all(tmp_path: Path) -> None:
    told(tmp_path, ACCEPTED, row())
    first = tmp_path / "out" / "assembly-stage"
    second = shutil.copytree(first, tmp_path / "out" / "assembly-other")
    for file in second.iterdir():
        file.write_text(file.read_text().replace("/stage/", "/other/").replace("365", '365, "KmsKeyId": "key"'))
    manifest = tmp_path / "out" / "manifest.json"
    content = json.loads(manifest.read_text())
    properties = {"directoryName": second.name, "displayName": "other"}
    content["artifacts"]["other"] = {"type": "cdk:cloud-assembly", "properties": properties}
    manifest.write_text(json.dumps(content))
    assert findings(tmp_path / "out", register=tmp_path / "register.toml", today=TODAY) == []
