"""A service on Fargate: several tasks, replaced a few at a time, more of them under load."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.network.vpc import APPLICATION
from infra.services import Service
from infra.setting_tables import Tasks

TARGET_CPU_PERCENT = 60


class RollingService(ecs.FargateService):
    """A new version takes over while the old one serves; one that does not come up is rolled back."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ecs.ICluster,
        task_definition: ecs.FargateTaskDefinition,
        service: Service,
        tasks: Tasks,
        security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            cluster=cluster,
            task_definition=task_definition,
            vpc_subnets=APPLICATION,
            security_groups=[security_group],
            assign_public_ip=False,
            enable_execute_command=False,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=cdk.Duration.seconds(service.health.start_seconds) if service.public else None,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        self.resource = cast("ecs.CfnService", self.node.default_child)
        # One task that is healthy for a moment would start the count again: a flapping release would never end.
        self.resource.add_property_override(
            "DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask", value=False
        )
        # The library waits for the task role alone, and the first tasks could not yet fetch their image.
        self.node.add_dependency(task_definition.obtain_execution_role())
        scaling = self.auto_scale_task_count(min_capacity=tasks.least, max_capacity=tasks.most)
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=TARGET_CPU_PERCENT)
