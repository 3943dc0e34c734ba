"""The custom resource that runs a task."""

from pathlib import Path
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources
from constructs import Construct

from infra import principals
from infra.compute.rights import run_task
from infra.encryption import EncryptedLogGroup
from infra.network.vpc import APPLICATION
from infra.settings import Environment

MINUTES = 60
"""How long a task may take: no custom resource can take longer."""


class TaskRunner(Construct):
    """Runs tasks in ``cluster``; has the right to those it was given, and to pass them their roles."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        cluster: ecs.ICluster,
        vpc: ec2.IVpc,
        key: kms.Key,
        logs_key: kms.Key,
    ) -> None:
        super().__init__(scope, construct_id)
        self._cluster = cluster
        self._subnets = vpc.select_subnets(subnet_group_name=APPLICATION.subnet_group_name).subnet_ids
        log_group = EncryptedLogGroup(self, "LogGroup", environment=environment, key=logs_key, name="run-task")

        def role(name: str) -> iam.Role:
            # Instead of the managed policy, which allows to write every log group of the account.
            made = iam.Role(self, f"{name}Role", assumed_by=principals.service("lambda.amazonaws.com"))
            made.add_to_policy(
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
                )
            )
            return made

        def function(name: str, handler: str) -> lambda_.Function:
            return lambda_.Function(
                self,
                name,
                code=lambda_.Code.from_asset(str(Path(__file__).parent), exclude=["*", "!handler.py"]),
                handler=f"handler.{handler}",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                timeout=cdk.Duration.minutes(1),
                role=cast("iam.IRole", role(name)),
                log_group=log_group,
            )

        self._start, done = function("Start", "start"), function("Done", "is_done")
        done.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ecs:DescribeTasks"],
                resources=[
                    cdk.Stack.of(self).format_arn(
                        service="ecs", resource="task", resource_name=f"{environment.resource_name()}/*"
                    )
                ],
            )
        )
        self._provider = custom_resources.Provider(
            self,
            "Provider",
            on_event_handler=cast("lambda_.IFunction", self._start),
            is_complete_handler=cast("lambda_.IFunction", done),
            query_interval=cdk.Duration.seconds(10),
            total_timeout=cdk.Duration.minutes(MINUTES - 5),  # so that it says so before CloudFormation gives up
            log_group=log_group,
            provider_function_env_encryption=cast("kms.IKey", key),
            framework_on_event_role=cast("iam.IRole", role("ProviderStart")),
            framework_complete_and_timeout_role=cast("iam.IRole", role("ProviderDone")),
        )

    def run(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task_definition: ecs.FargateTaskDefinition,
        security_group: ec2.ISecurityGroup,
        when: Literal["first", "each"],
    ) -> cdk.CustomResource:
        """Run ``task_definition`` in the first deployment, or in each one that changes it."""
        roles = [task_definition.task_role, task_definition.obtain_execution_role()]
        run_task(cast("iam.IRole", self._start.role), task_definition, cluster_arn=self._cluster.cluster_arn)
        resource = cdk.CustomResource(
            scope,
            construct_id,
            resource_type="Custom::RunTask",
            service_token=self._provider.service_token,
            service_timeout=cdk.Duration.minutes(MINUTES),
            properties={
                "Cluster": self._cluster.cluster_name,
                "TaskDefinition": task_definition.task_definition_arn,
                "Subnets": self._subnets,
                "SecurityGroup": security_group.security_group_id,
                "When": when,
            },
        )
        resource.node.add_dependency(*roles, self._start)
        return resource
