"""The ECS cluster of an environment."""

from typing import cast

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.encryption import EncryptedLogGroup
from infra.settings import Environment


class EncryptedCluster(ecs.Cluster):
    """The disks of its tasks are encrypted with ``storage_key`` (Amazon ECS guide, "Customer managed keys for Fargate
    ephemeral storage"), and so is what Container Insights writes down, with ``logs_key``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        storage_key: kms.Key,
        logs_key: kms.Key,
    ) -> None:
        name, insights = environment.resource_name(), environment.compute.insights
        super().__init__(
            scope,
            construct_id,
            cluster_name=name,
            vpc=vpc,
            container_insights_v2=ecs.ContainerInsights.ENHANCED if insights else ecs.ContainerInsights.DISABLED,
            managed_storage_configuration=ecs.ManagedStorageConfiguration(
                fargate_ephemeral_storage_kms_key=cast("kms.IKey", storage_key)
            ),
        )
        if insights:  # ECS would make the group itself, unencrypted
            self.node.add_dependency(
                EncryptedLogGroup(
                    scope,
                    "InsightsLogGroup",
                    environment=environment,
                    key=logs_key,
                    name=f"/aws/ecs/containerinsights/{name}/performance",
                )
            )
