"""Alarms made of rows."""

import functools
from collections.abc import Iterable, Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.data.watch import Watch


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
    minutes = functools.cache(cdk.Duration.minutes)
    action = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
    for watch in watches:
        metric = cloudwatch.Metric(
            namespace=namespace,
            metric_name=watch.metric,
            dimensions_map=dimensions,
            statistic=watch.statistic,
            period=minutes(watch.minutes),
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
