"""What a service's log says of its requests: ``chassis.requests`` writes a line ``request.done`` for each.

The load balancer measures the time to the first byte of all requests together, VPC Lattice that to the last; with
either, the language model's time would hide the service's own.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.services import Service
from infra.settings import Environment


def namespace(environment: Environment) -> str:
    """Where the environment's own metrics are."""
    return f"Sanctum/{environment.name}"


_DONE = '($.event = "request.done")'


class RequestMetrics(Construct):
    """Metrics in the namespace ``metrics``, each named after the service.

    One that nobody asks for is not made: each costs.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, metrics: str, service: Service, log_group: logs.ILogGroup
    ) -> None:
        super().__init__(scope, construct_id)
        self._namespace, self._service, self._log_group = metrics, service, log_group

    def timed(self) -> cloudwatch.Metric:
        """How many requests there were whose time is the service's own."""
        return self._metric("Timed", f"{_DONE} && {self._own()}")

    def slow(self, seconds: float) -> cloudwatch.Metric:
        """How many of ``timed`` took longer than ``seconds``.

        Counted, and not a percentile of the times: that of a few requests says nothing.
        """
        return self._metric("Slow", f"{_DONE} && ($.milliseconds > {seconds * 1000:g}) && {self._own()}")

    def untimed(self) -> cloudwatch.Metric:
        """Milliseconds that the others took, in a sum: 60,000 in a minute is one of them at a time."""
        others = " || ".join(f'($.route = "*{end}")' for end in self._service.untimed)
        return self._metric("Untimed", f"{_DONE} && ($.milliseconds >= 0) && ({others})", value="$.milliseconds")

    def errors(self) -> cloudwatch.Metric:
        """Answers with a status of 500 and above, and replies that were written without memory."""
        return self._metric("Errors", f'({_DONE} && ($.status >= 500)) || ($.event = "reply.without_memory")')

    def _own(self) -> str:
        health = self._service.health
        others = (health.live, health.ready, *(f"*{end}" for end in self._service.untimed))
        return " && ".join(f'($.route != "{route}")' for route in others)

    def _metric(self, name: str, pattern: str, *, value: str = "1") -> cloudwatch.Metric:
        return logs.MetricFilter(
            self,
            name,
            log_group=self._log_group,
            filter_pattern=logs.FilterPattern.literal(f"{{ {pattern} }}"),
            metric_namespace=self._namespace,
            metric_name=f"{self._service.name}.{name}",
            metric_value=value,
        ).metric(statistic="Sum", period=cdk.Duration.minutes(1))
