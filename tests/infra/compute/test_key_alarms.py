"""People hear of a roll that is late, and of what was changed behind the backend's back."""

import re
from fnmatch import fnmatchcase

from infra.services import ROOT
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, reference

FILTER, ALARM = "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm"
LOGGED = re.compile(r'\blog\(\s*"([a-z_]+\.[a-z_]+)"')


def _alarm(stacks: Stacks, end: str) -> tuple[Json, Json]:
    """The alarm, and the filter that makes its metric."""
    alarms = [a for a in stacks["Compute"].properties(ALARM) if str(a["AlarmName"]).endswith(f"-keys-{end}")]
    assert len(alarms) == 1
    (alarm,) = alarms
    filters = stacks["Compute"].properties(FILTER)
    makers = [f for f in filters if f["MetricTransformations"][0]["MetricName"] == alarm["MetricName"]]
    assert len(makers) == 1
    (made,) = makers
    assert made["MetricTransformations"][0]["MetricNamespace"] == alarm["Namespace"]
    assert "backendLogGroup" in reference(made["LogGroupName"])
    assert ["Alarms" in reference(action) for action in alarm["AlarmActions"]] == [True]
    assert len(alarm["AlarmDescription"]) > 100
    return alarm, made


def _events(made: Json) -> set[str]:
    """Those of the backend's source that a filter counts."""
    patterns: list[str] = re.findall(r'^\{ \$\.event = "([a-z_.*]+)" \}$', made["FilterPattern"])
    sources = (ROOT / "backend" / "backend").rglob("*.py")
    return {e for path in sources for e in LOGGED.findall(path.read_text()) for p in patterns if fnmatchcase(e, p)}


@promise(
    silence_is_well=setting(ALARM, "TreatMissingData", "notBreaching"),
    a_day=setting(ALARM, "EvaluationPeriods", 24),
    the_other_way=setting(ALARM, "ComparisonOperator", "GreaterThanOrEqualToThreshold"),
    another_event=setting(FILTER, "FilterPattern", '{ $.event = "request.done" }'),
    to_nobody=setting(ALARM, "AlarmActions", []),
    none=without(ALARM),
)
def test_a_roll_that_did_not_end_well_for_twelve_hours_is_told(stacks: Stacks) -> None:
    """Half of the day in which an erased person's backups are to become unreadable."""
    alarm, made = _alarm(stacks, "roll-late")
    assert _events(made) == {"keys.no_erasure_waits"}
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 12 * 3600
    assert alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) == alarm["EvaluationPeriods"]


@promise(
    often=setting(ALARM, "Threshold", 10),
    another_event=setting(FILTER, "FilterPattern", '{ $.event = "keys.changed_outside" }'),
    elsewhere=setting(FILTER, "MetricTransformations.0.MetricNamespace", "Other"),
    none=without(FILTER),
)
def test_credentials_or_keys_that_were_changed_outside_are_told_at_once(stacks: Stacks) -> None:
    alarm, made = _alarm(stacks, "changed-outside")
    assert _events(made) == {"credentials.changed_outside", "keys.changed_outside"}
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Sum", 1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Period"] <= 300
