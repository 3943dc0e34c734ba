"""A service on Fargate: several tasks, replaced by those of a new version while they serve."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.network.vpc import APPLICATION
from infra.setting_tables import Strategy

CANARY_PERCENT = 10
STEP_MINUTES = 10
"""How long a tenth of the requests goes to the new version alone, and how long the old one is kept after that."""


class ReplaceableService(ecs.FargateService):
    """A new version takes over by ``strategy``. One that does not come up is rolled back, and so is one with which any
    of ``alarms`` goes off.

    ECS waits by itself for the alarms after a rolling deployment. A bake time of our own would have CloudFormation
    wait for it for up to 36 hours, so only the strategies have one that keep both versions (Amazon ECS guide, "Amazon
    ECS deployment failure detection" and "Amazon ECS canary deployments").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ecs.ICluster,
        task_definition: ecs.FargateTaskDefinition,
        security_group: ec2.ISecurityGroup,
        strategy: Strategy = "rolling",
        alarms: Sequence[cloudwatch.Alarm],
        start_seconds: int | None,
    ) -> None:
        """``start_seconds``: how long a load balancer's opinion of a new task is not asked; none without one."""
        step = cdk.Duration.minutes(STEP_MINUTES)
        canary = ecs.TrafficShiftConfig(step_percent=CANARY_PERCENT, step_bake_time=step)
        super().__init__(
            scope,
            construct_id,
            cluster=cluster,
            task_definition=task_definition,
            vpc_subnets=APPLICATION,
            security_groups=[security_group],
            assign_public_ip=False,
            enable_execute_command=False,
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            min_healthy_percent=100,
            max_healthy_percent=200,
            deployment_strategy=ecs.DeploymentStrategy(strategy.upper()),
            canary_configuration=canary if strategy == "canary" else None,
            bake_time=None if strategy == "rolling" else step,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            # By reference, so that they are there before the first task is.
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[alarm.alarm_name for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
            )
            if alarms
            else None,
            health_check_grace_period=cdk.Duration.seconds(start_seconds) if start_seconds else None,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
        )
        self.resource = cast("ecs.CfnService", self.node.default_child)
        # One task that is healthy for a moment would start the count again: a flapping release would never end.
        self.resource.add_property_override(
            "DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask", value=False
        )
        # The library waits for the task role alone, and the first tasks could not yet fetch their image.
        self.node.add_dependency(task_definition.obtain_execution_role())
