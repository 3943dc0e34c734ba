"""Alarms as rows: which figure of a store means that somebody has to look, from when on, and what they should do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One figure that CloudWatch has of a resource, and when it is wrong."""

    name: str
    """What is wrong, in one word or two: the end of the alarm's name."""
    metric: str
    threshold: float
    """From here on it is wrong."""
    todo: str
    """What it means and what to do: the alarm's description, which is all that somebody has at night."""
    statistic: str = "Maximum"
    minutes: int = 5
    """Period of the figure."""
    times: int = 1
    """How many periods in a row it has to be wrong."""
    below: bool = False
    """It is wrong below ``threshold``."""
    absence_is_wrong: bool = False
    """Nothing has no figure but what does not work. Otherwise it may well be paused, or never had the trouble that the
    figure counts."""


def add_watches(
    scope: Construct,
    *,
    name: str,
    namespace: str,
    dimensions: Mapping[str, str],
    topic: sns.ITopic,
    watches: Iterable[Watch],
) -> None:
    """An alarm ``<name>-<watch>`` for each of ``watches``, on the resource that ``dimensions`` single out."""
    comparison, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
    action = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
    for watch in watches:
        metric = cloudwatch.Metric(
            namespace=namespace,
            metric_name=watch.metric,
            dimensions_map=dimensions,
            statistic=watch.statistic,
            period=cdk.Duration.minutes(watch.minutes),
        )
        cloudwatch.Alarm(
            scope,
            f"Alarm{watch.metric}",
            alarm_name=f"{name}-{watch.name}",
            alarm_description=watch.todo,
            metric=cast("cloudwatch.IMetric", metric),
            threshold=watch.threshold,
            comparison_operator=comparison.LESS_THAN_THRESHOLD
            if watch.below
            else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=watch.times,
            treat_missing_data=missing.BREACHING if watch.absence_is_wrong else missing.NOT_BREACHING,
        ).add_alarm_action(action)
