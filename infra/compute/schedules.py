"""One-off tasks that run on a schedule."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import principals
from infra.compute.rights import allow, run_task
from infra.compute.stopped_tasks import StoppedTasks
from infra.operations.alarm import Alarm
from infra.settings import Environment

WINDOW_MINUTES = 15
"""A task starts at some time in it, so that not everything happens on the hour."""
RETRY_SECONDS = 3600
ATTEMPTS = 10


class Schedules(Construct):
    """A schedule group with a role of its own; tells ``topic`` of a task that could not be started, and of one that
    failed (Amazon EventBridge Scheduler guide, "Monitoring with CloudWatch")."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        cluster: ecs.ICluster,
        subnet_ids: list[str],
        key: kms.Key,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._cluster, self._subnet_ids, self._key, self._topic = cluster, subnet_ids, key, topic
        name = environment.resource_name()
        self._group = scheduler.CfnScheduleGroup(self, "Group", name=name)
        group_arn = cdk.Stack.of(self).format_arn(service="scheduler", resource="schedule-group", resource_name=name)
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=principals.service(
                "scheduler.amazonaws.com", account=environment.account.id, source_arn=group_arn
            ),
        )
        allow(cast("iam.IRole", self._role), ["kms:Decrypt"], [key.key_arn])
        Alarm(
            self,
            "NotStarted",
            name=environment.resource_name("schedules", "not-started"),
            why=f"A scheduled task could not be started, {ATTEMPTS} times over: run it by hand, and see why.",
            metric=cloudwatch.Metric(
                namespace="AWS/Scheduler",
                metric_name="InvocationDroppedCount",
                dimensions_map={"ScheduleGroup": name},
                statistic="Sum",
                period=cdk.Duration.minutes(1),
            ),
            threshold=1,
            minutes=1,
            topic=topic,
        )

    def add(
        self, *, task_definition: ecs.FargateTaskDefinition, expression: str, security_group: ec2.ISecurityGroup
    ) -> None:
        """Run ``task_definition`` as the EventBridge ``expression`` says."""
        name = task_definition.family
        run_task(cast("iam.IRole", self._role), task_definition, cluster_arn=self._cluster.cluster_arn)
        schedule = scheduler.CfnSchedule(
            self,
            name,
            name=name,
            group_name=self._group.ref,
            kms_key_arn=self._key.key_arn,
            schedule_expression=expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE", maximum_window_in_minutes=WINDOW_MINUTES
            ),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._cluster.cluster_arn,
                role_arn=self._role.role_arn,
                ecs_parameters=scheduler.CfnSchedule.EcsParametersProperty(
                    task_definition_arn=task_definition.task_definition_arn,
                    launch_type="FARGATE",
                    propagate_tags="TASK_DEFINITION",
                    network_configuration=scheduler.CfnSchedule.NetworkConfigurationProperty(
                        awsvpc_configuration=scheduler.CfnSchedule.AwsVpcConfigurationProperty(
                            subnets=self._subnet_ids,
                            security_groups=[security_group.security_group_id],
                            assign_public_ip="DISABLED",
                        )
                    ),
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=RETRY_SECONDS, maximum_retry_attempts=ATTEMPTS - 1
                ),
            ),
        )
        schedule.node.add_dependency(self._role)
        StoppedTasks(
            self,
            f"{name}-failed",
            name=f"{name}-failed",
            cluster_arn=self._cluster.cluster_arn,
            family=name,
            one_off=True,
            topic=self._topic,
        )
