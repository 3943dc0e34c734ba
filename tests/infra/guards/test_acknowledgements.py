"""What cdk-nag finds is accepted one by one, for a reason, and no row of the register accepts nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.delivery.settings import read_pipeline
from infra.guards.accounts import guarded_accounts
from infra.guards.acknowledgements import Acknowledged, read_register
from infra.guards.nag import values_of_environment, values_of_guards, values_of_pipeline
from infra.settings import InvalidSettings, read_environments
from tests.infra.template import Json

ENVIRONMENTS = read_environments()
PIPELINE = read_pipeline(ENVIRONMENTS)
ACCOUNTS = guarded_accounts(ENVIRONMENTS, PIPELINE)
REGISTER = read_register()
PACKS = {"AwsSolutions", "NIST.800.53.R5"}


@pytest.fixture(scope="session")
def reports(assembly: Path) -> dict[str, Json]:
    """What each plugin found, by its name."""
    found = json.loads((assembly / "validation-report.json").read_text())
    return {report["pluginName"]: report for report in found["pluginReports"]}


def test_both_packs_judge_the_application_and_find_nothing_that_is_not_accepted(reports: dict[str, Json]) -> None:
    assert set(reports) >= PACKS
    assert {name: (r["conclusion"], r["violations"]) for name, r in reports.items()} == {
        name: ("success", []) for name in reports
    }


def _suppressed(reports: dict[str, Json]) -> Iterator[Json]:
    for name in PACKS:
        yield from reports[name]["suppressedViolations"]


def test_a_finding_is_accepted_on_its_own_resource_and_for_a_reason(reports: dict[str, Json]) -> None:
    register = {row.reason for rows in (REGISTER.environment, REGISTER.pipeline, REGISTER.guards) for row in rows}
    for finding in _suppressed(reports):
        paths: list[Any] = [c["constructPath"] for c in finding["violatingConstructs"]]
        assert set(paths) == {finding["acknowledgedAt"]}
        assert finding["reason"] in register


def _everywhere(row: Acknowledged, section: str) -> Iterator[tuple[str, str]]:
    """Each finding that a row accepts, with whole paths."""
    if section == "environment":
        delivered = {stage.environment for stage in PIPELINE.stages} if PIPELINE else set[str]()
        for environment in ENVIRONMENTS:
            below = f"pipeline/{environment.name}" if environment.name in delivered else environment.name
            for rule, path in row.accepted(values_of_environment(environment)):
                yield rule, f"{below}/{path}"
    elif section == "pipeline":
        assert PIPELINE
        yield from row.accepted(values_of_pipeline(PIPELINE, ACCOUNTS[PIPELINE.account.id]))
    else:
        for account in ACCOUNTS.values():
            for rule, path in row.accepted(values_of_guards(account)):
                yield rule, f"{account.stack}/{path}"


def _single(row: Acknowledged) -> Iterator[Acknowledged]:
    """A row for each rule and resource of a row."""
    for rule in row.rules:
        for resource in row.resources:
            yield row.model_copy(update={"rules": (rule,), "resources": (resource,)})


@pytest.mark.parametrize("section", ["environment", "pipeline", "guards"])
def test_no_row_accepts_nothing(section: str, reports: dict[str, Json]) -> None:
    accepted = {(f["acknowledgedId"], f["acknowledgedAt"]) for f in _suppressed(reports)}
    rows = [single for row in getattr(REGISTER, section) if row.shipped for single in _single(row)]
    assert rows
    idle = [(r.rules, r.resources) for r in rows if not accepted & {*_everywhere(r, section)}]
    assert idle == []


def test_what_is_accepted_in_unprotected_environments_is_accepted_in_no_other(reports: dict[str, Json]) -> None:
    rows = [row for row in REGISTER.environment if row.only == "unprotected"]
    rules = {(rule, path) for row in rows for rule in row.rules for path in row.resources}
    assert rules
    others = [(f["acknowledgedId"], f["acknowledgedAt"]) for f in _suppressed(reports)]
    for rule, path in rules:
        where = {at.removesuffix(f"/{path}") for name, at in others if name == rule and at.endswith(f"/{path}")}
        assert where == {"dev"}


def test_a_row_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "register.toml").write_text(
        'environment = [{ rules = ["a::b"], resources = ["c"], reason = "because" }]\npipeline = []\nguards = []\n'
    )
    with pytest.raises(InvalidSettings, match=r'environment\.0\.reason = "because"'):
        read_register(tmp_path / "register.toml")
