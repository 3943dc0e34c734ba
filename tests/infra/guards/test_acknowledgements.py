"""What cdk-nag finds is accepted one by one, for a reason, and no row of the register accepts nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.guards.acknowledgements import idle, read_register
from infra.settings import InvalidSettings
from tests.infra.template import Json

REGISTER = read_register()
PACKS = {"AwsSolutions", "NIST.800.53.R5"}
JUDGES = {*PACKS, "CloudFormation-Validate"}
"""The packs, and the CDK's own validation."""


@pytest.fixture(scope="session")
def reports(judged: Path) -> dict[str, Json]:
    """What each plugin found, by its name."""
    found = json.loads((judged / "validation-report.json").read_text())
    return {report["pluginName"]: report for report in found["pluginReports"]}


def test_both_packs_judge_the_application_and_find_nothing_that_is_not_accepted(reports: dict[str, Json]) -> None:
    assert set(reports) >= PACKS
    assert {name: (r["conclusion"], r["violations"]) for name, r in reports.items()} == {
        name: ("success", []) for name in reports
    }


def _suppressed(reports: dict[str, Json]) -> Iterator[Json]:
    for name in (*PACKS, "CloudFormation Validate"):
        yield from reports[name]["suppressedViolations"]


def test_a_finding_is_accepted_on_its_own_resource_and_for_a_reason(reports: dict[str, Json]) -> None:
    register = {row.reason for rows in (REGISTER.environment, REGISTER.pipeline, REGISTER.guards) for row in rows}
    for finding in _suppressed(reports):
        paths: list[Any] = [c["constructPath"] for c in finding["violatingConstructs"]]
        assert set(paths) == {finding["acknowledgedAt"]}
        assert finding["reason"] in register


def test_no_row_for_them_accepts_nothing(reports: dict[str, Json]) -> None:
    accepted = {(f["acknowledgedId"], f["acknowledgedAt"]) for f in _suppressed(reports)}
    assert accepted
    assert idle(REGISTER, accepted, judges=JUDGES) == []


def test_a_row_that_accepts_nothing_is_told(reports: dict[str, Json]) -> None:
    accepted = {(f["acknowledgedId"], f["acknowledgedAt"]) for f in _suppressed(reports)}
    trail = "Operations/Trail/Bucket/Resource"
    rest = {(rule, path) for rule, path in accepted if not path.endswith(trail)}
    assert idle(REGISTER, rest, judges=JUDGES) == [
        (rule, trail)
        for row in REGISTER.environment
        if trail in row.resources
        for rule in row.rules
        if _of_a_judge(rule)
    ]


def _of_a_judge(rule: str) -> bool:
    return rule.partition("::")[0] in JUDGES


def test_what_is_accepted_in_unprotected_environments_is_accepted_in_no_other(reports: dict[str, Json]) -> None:
    rows = [row for row in REGISTER.environment if row.only == "unprotected"]
    rules = {(rule, path) for row in rows for rule in row.rules if _of_a_judge(rule) for path in row.resources}
    assert rules
    others = [(f["acknowledgedId"], f["acknowledgedAt"]) for f in _suppressed(reports)]
    for rule, path in rules:
        where = {at.removesuffix(f"/{path}") for name, at in others if name == rule and at.endswith(f"/{path}")}
        assert where == {"dev"}


def test_a_row_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "register.toml").write_text(
        'environment = [{ rules = ["a::b"], resources = ["c"], reason = "because", owner = "security", '
        "expires = 2027-11-30 }]\npipeline = []\nguards = []\n"
    )
    with pytest.raises(InvalidSettings, match=r'environment\.0\.reason = "because"'):
        read_register(tmp_path / "register.toml")
