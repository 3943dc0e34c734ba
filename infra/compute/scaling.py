"""How many tasks of a service there are: more under load, fewer when it has passed."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

CPU_PERCENT = 60
REQUESTS_PER_VCPU = 3_000
"""Requests a minute. Most cost a few milliseconds of processor, a sign-in a tenth of a second; at this many a task
also has the connections, streams that wait among them, which the processor does not show."""
REPLIES_PERCENT = 60
"""Of the replies that a task may ask the model for at a time. It waits for them and needs no processor: they come to
their end long before that does, and then people are told to come back later."""
OUT_SECONDS = 60
IN_SECONDS = 300
"""Longer than a task takes to go, from its deregistration to its end, so that the figures show what is left."""


class Scaling(Construct):
    """Between ``least`` and ``most`` tasks, by processor and by what is added. Any of the figures makes it more, all
    of them have to agree on fewer; a task that goes finishes what it has, as in a deployment (Amazon ECS guide, "Use a
    target metric to scale Amazon ECS services")."""

    def __init__(
        self, scope: Construct, construct_id: str, *, service: ecs.FargateService, least: int, most: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._service = service
        self._tasks = service.auto_scale_task_count(min_capacity=least, max_capacity=most)
        self._tasks.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=CPU_PERCENT,
            scale_in_cooldown=cdk.Duration.seconds(IN_SECONDS),
            scale_out_cooldown=cdk.Duration.seconds(OUT_SECONDS),
        )

    def by_requests(self, targets: elb.ApplicationTargetGroup, *, vcpus: float) -> None:
        """Also by the requests that each task gets, which has ``vcpus``.

        Where deployments swap target groups, this cannot be: the figure is that of one of them.
        """
        self._tasks.scale_on_request_count(
            "Requests",
            requests_per_target=int(REQUESTS_PER_VCPU * vcpus),
            target_group=targets,
            scale_in_cooldown=cdk.Duration.seconds(IN_SECONDS),
            scale_out_cooldown=cdk.Duration.seconds(OUT_SECONDS),
        )

    def by_replies(self, milliseconds: cloudwatch.Metric, *, at_a_time: int) -> None:
        """Also by the replies that each task writes at a time, of which it may write ``at_a_time``.

        ``milliseconds`` is the sum of what all replies took: as many of them at a time, by Little's law, as that is
        minutes in a minute. How many tasks there are is how many of them say how busy they are.
        """
        target = cast("autoscaling.CfnScalableTarget", self._tasks.node.find_child("Target").node.default_child)
        busy = self._service.metric_cpu_utilization(statistic="SampleCount", period=cdk.Duration.minutes(1))
        property_ = autoscaling.CfnScalingPolicy
        autoscaling.CfnScalingPolicy(
            self,
            "Replies",
            policy_name="replies",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=property_.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=at_a_time * REPLIES_PERCENT / 100,
                scale_in_cooldown=IN_SECONDS,
                scale_out_cooldown=OUT_SECONDS,
                customized_metric_specification=property_.CustomizedMetricSpecificationProperty(
                    metrics=[
                        _query("milliseconds", milliseconds),
                        _query("tasks", busy),
                        property_.TargetTrackingMetricDataQueryProperty(
                            id="replies", expression="milliseconds / 60000 / tasks", return_data=True
                        ),
                    ]
                ),
            ),
        )


def _query(name: str, metric: cloudwatch.Metric) -> autoscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    property_ = autoscaling.CfnScalingPolicy
    return property_.TargetTrackingMetricDataQueryProperty(
        id=name,
        return_data=False,
        metric_stat=property_.TargetTrackingMetricStatProperty(
            stat=metric.statistic,
            metric=property_.TargetTrackingMetricProperty(
                namespace=metric.namespace,
                metric_name=metric.metric_name,
                dimensions=[
                    property_.TargetTrackingMetricDimensionProperty(name=key, value=str(value))
                    for key, value in (metric.dimensions or {}).items()
                ],
            ),
        ),
    )
