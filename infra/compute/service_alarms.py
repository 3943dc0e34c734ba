"""When a service is not well, whoever may reach it: alarms that people get, and that roll a deployment back."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.compute.request_metrics import RequestMetrics
from infra.compute.stopped_tasks import StoppedTasks
from infra.operations.alarm import Alarm

SLOW, REQUESTS_A_SLOW = 2, 100
"""More than one request in a hundred, and not a single one, which may have woken a database that was paused."""
ERRORS = 5
"""A minute: one reply that breaks off is no outage."""


class ServiceAlarms(Construct):
    """``slow``, ``stopped`` and, where nothing else counts them, ``errors``; none needs Container Insights.

    ``errors`` is of the service's own log: VPC Lattice has a figure too, but a call that it could not deliver is an
    error of the caller's as well, and is counted there.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        requests: RequestMetrics,
        seconds: float,
        errors: bool,
        family: str,
        cluster_arn: str,
        topic: sns.ITopic,
    ) -> None:
        """``name`` begins their names; ``seconds`` is slow; ``family`` is that of the service's tasks."""
        super().__init__(scope, construct_id)
        self._name, self._topic = name, topic
        slow = cloudwatch.MathExpression(
            expression=f"IF(slow >= {SLOW} AND slow * {REQUESTS_A_SLOW} > timed, 1, 0)",
            using_metrics={"slow": requests.slow(seconds), "timed": requests.timed()},
            period=cdk.Duration.minutes(1),
        )
        stopped = StoppedTasks(
            self,
            "StoppedTasks",
            name=f"{name}-stopped",
            cluster_arn=cluster_arn,
            family=family,
            one_off=False,
            topic=topic,
        )
        self.all = [
            self._alarm(
                "slow",
                f"More than one in {REQUESTS_A_SLOW} requests takes {seconds:g} s and more, without the model's time.",
                cast("cloudwatch.IMetric", slow),
                threshold=1,
                minutes=3,
                of=3,
            ),
            # One task may lose its machine; two within five minutes have something in common.
            self._alarm(
                "stopped",
                "Tasks end by themselves, do not start or do not answer. There is a message for each, with why.",
                cast("cloudwatch.IMetric", stopped.metric),
                threshold=1,
                minutes=2,
                of=5,
            ),
        ]
        if errors:
            metric = cast("cloudwatch.IMetric", requests.errors())
            why = (
                "Calls are answered with 500 and above, replies are written without memory, or not at all: "
                "read the log."
            )
            self.all.append(self._alarm("errors", why, metric, threshold=ERRORS, minutes=2, of=3))

    def _alarm(
        self, what: str, why: str, metric: cloudwatch.IMetric, *, threshold: float, minutes: int, of: int
    ) -> Alarm:
        return Alarm(
            self,
            what.capitalize(),
            name=f"{self._name}-{what}",
            why=why,
            metric=metric,
            threshold=threshold,
            minutes=minutes,
            of=of,
            topic=self._topic,
        )
