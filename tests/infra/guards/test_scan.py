"""``make scan`` tells what is not accepted, resource by resource, and rows of the register that do not hold."""

import json
from datetime import date
from pathlib import Path

import pytest

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.rules import Finding, cfn_lint, control_tower
from infra.guards.acknowledgements import Acknowledged, read_register
from infra.guards.scan import left
from tests.infra.assurance.assembly import write

REGISTER = read_register()
ROWS = (*REGISTER.environment, *REGISTER.pipeline, *REGISTER.guards)
PLAIN = f"{control_tower.JUDGE}::CT.CLOUDWATCH.PR.3"
DAY = max(row.expires for row in ROWS)


@pytest.fixture
def stacks(tmp_path: Path) -> tuple[Stack, ...]:
    """One with two log groups, of one of which it is accepted that it has no key."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365}}
    folder = write(tmp_path, {"a": {"Resources": {"Planted": group, "Accepted": group}}})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["a"]["metadata"] = {
        "/a/Planted": [{"type": "aws:cdk:logicalId", "data": "Planted"}],
        "/a/Accepted": [
            {"type": "aws:cdk:logicalId", "data": "Accepted"},
            {"type": "aws:cdk:acknowledged-rules", "data": {PLAIN: "a reason"}},
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return read_assembly(folder)


def test_what_is_not_accepted_is_told_by_who_finds_it(stacks: tuple[Stack, ...]) -> None:
    plain = [Finding(PLAIN, f"a/{name}", "no key") for name in ("Planted", "Accepted")]
    lint = Finding(f"{cfn_lint.JUDGE}::E3012", "a/Accepted", "365 is not of type integer")
    found, _ = left({control_tower.JUDGE: plain, cfn_lint.JUDGE: [lint]}, stacks, DAY)
    assert plain[0] in found
    assert lint in found
    assert plain[1] not in found


def test_a_row_that_accepts_nothing_is_told(stacks: tuple[Stack, ...]) -> None:
    _, rows = left({control_tower.JUDGE: [], cfn_lint.JUDGE: []}, stacks, DAY)
    assert {row.rpartition(": a row accepts nothing: ")[2] for row in rows} == {
        f"{rule} on {resource}"
        for row in ROWS
        for rule in row.rules
        for resource in row.resources
        if row.shipped and rule.startswith((f"{control_tower.JUDGE}::", f"{cfn_lint.JUDGE}::"))
    }


def test_a_row_whose_day_has_passed_is_told(stacks: tuple[Stack, ...]) -> None:
    def expired(today: date) -> int:
        found, _ = left({control_tower.JUDGE: [], cfn_lint.JUDGE: []}, stacks, today)
        return sum("expired on" in finding.message for finding in found)

    first = min(row.expires for row in ROWS)
    assert expired(first) == 0
    assert expired(DAY.replace(year=DAY.year + 1)) == len(ROWS)


def test_each_row_names_single_resources() -> None:
    assert all("*" not in resource for row in ROWS for resource in row.resources)
    with pytest.raises(ValueError, match="resources"):
        Acknowledged(
            rules=("a::b",), resources=("a/*",), reason="A reason in a sentence.", owner="security", expires=DAY
        )
