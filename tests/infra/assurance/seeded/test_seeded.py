"""Every seeded defect is refused, and what it breaks is named; what is harmless passes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from infra.assurance.check import HOLDS
from tests.infra.assurance.seeded.catalogue import ALL, DEFECTS, MORE, judged, slipped
from tests.infra.assurance.seeded.defect import Application, clean
from tests.infra.assurance.seeded.templates import Templates

ON_OURS: Final = frozenset({
    "database open to the world", "task role *:*", "key open to anyone", "OpenSearch without node-to-node encryption",
    "database without forced TLS", "load balancer → database", "secret to a foreign account", "database public",
    "whole VPC → database", "wrong service reads the database's secret", "last hop plain HTTP", "no WAF",
})  # fmt: skip
"""Of the 24, those that are put into this application; the others are put into the bookshop."""


def test_there_are_24_and_many_more() -> None:
    assert len(DEFECTS) == 24
    assert len(MORE) >= 60
    assert len(ALL) == len(DEFECTS) + len(MORE)


@pytest.mark.parametrize("application", Application)
def test_the_clean_application_holds(application: Application, assembly: Path, tmp_path: Path) -> None:
    code, lines = judged(application, clean(application, assembly, tmp_path))
    assert code == HOLDS, "\n".join(lines)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_seeded_defect_is_told(name: str, assembly: Path, tmp_path: Path) -> None:
    application = Application.OURS if name in ON_OURS else Application.BOOKSHOP
    assert not slipped(DEFECTS[name], application, assembly, tmp_path)


@pytest.mark.parametrize("name", MORE)
def test_others_are_told_too(name: str, assembly: Path, tmp_path: Path) -> None:
    defect = MORE[name]
    assert not slipped(defect, defect.applications[-1], assembly, tmp_path)


def _alarm(templates: Templates) -> None:
    alarm: dict[str, Any] = {"MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum", "Threshold": 1}
    alarm |= {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
    templates.add(templates.database, "Added", "AWS::CloudWatch::Alarm", **alarm)


def _dashboard(templates: Templates) -> None:
    templates.add(templates.database, "Added", "AWS::CloudWatch::Dashboard", DashboardBody='{"widgets": []}')


def _metric(templates: Templates) -> None:
    group = templates.one("AWS::Logs::LogGroup")
    metric = {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}
    name = {"LogGroupName": {"Ref": group.logical_id}, "FilterPattern": "ERROR"}
    templates.add(group, "Added", "AWS::Logs::MetricFilter", **name, MetricTransformations=[metric])


def _output(templates: Templates) -> None:
    template = templates.template(templates.database)
    template.setdefault("Outputs", {})["Added"] = {"Value": {"Ref": templates.database.logical_id}}


def _tag(templates: Templates) -> None:
    templates.properties(templates.database).setdefault("Tags", []).append({"Key": "added", "Value": "yes"})


def _unused(templates: Templates) -> None:
    template = templates.template(templates.database)
    template.setdefault("Parameters", {})["Added"] = {"Type": "String", "Default": "x"}
    template.setdefault("Conditions", {})["Added"] = {"Fn::Equals": [{"Ref": "Added"}, "y"]}
    template["Description"] = "changed"


HARMLESS: Final[tuple[Callable[[Templates], None], ...]] = (_alarm, _dashboard, _metric, _output, _tag, _unused)


@pytest.mark.parametrize("application", Application)
def test_what_is_harmless_passes(application: Application, assembly: Path, tmp_path: Path) -> None:
    """All at once, as one check takes a second."""
    templates = Templates(clean(application, assembly, tmp_path))
    for number, change in enumerate(HARMLESS):
        change(templates)
        template = templates.template(templates.database)
        for section in (template, templates.template(templates.one("AWS::Logs::LogGroup"))):
            if "Added" in section["Resources"]:
                section["Resources"][f"Added{number}"] = section["Resources"].pop("Added")
    templates.save()
    code, lines = judged(application, tmp_path)
    assert code == HOLDS, "\n".join(lines)
