"""One service with all that belongs to it: image, log group, tasks, and what runs it when."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.compute.access import Access
from infra.compute.fargate_service import RollingService
from infra.compute.image import service_image
from infra.compute.run_task.construct import TaskRunner
from infra.compute.task_definition import TaskDefinition
from infra.encryption import EncryptedLogGroup
from infra.network.stack import NetworkStack
from infra.network.vpc import APPLICATION
from infra.services import Service
from infra.settings import Environment
from infra.sizes import tasks_of


class DeployedService(Construct):
    """Made of ``service.toml``. Its one-off tasks run before the new version starts: those for each deployment always,
    those on a schedule in the first deployment, because the service may need what they make."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        service: Service,
        values: Mapping[str, str],
        cluster: ecs.ICluster,
        network: NetworkStack,
        access: Access,
        runner: TaskRunner,
    ) -> None:
        super().__init__(scope, service.name)
        group = network.security_groups.services[service.name]
        image = service_image(self, service, environment=environment)
        log_group = EncryptedLogGroup(
            self, "LogGroup", environment=environment, key=network.logs_key, name=service.name
        )

        def definition(task: str | None = None) -> TaskDefinition:
            return TaskDefinition(
                self,
                task or "Task",
                environment=environment,
                service=service,
                task=task,
                image=image,
                values=values,
                log_group=log_group,
                grants=access.of(service.name, task),
            )

        own = definition()
        self.task_role = own.task_role
        self.fargate = RollingService(
            self,
            "Service",
            cluster=cluster,
            task_definition=own,
            service=service,
            tasks=tasks_of(environment, service),
            security_group=group,
        )
        for name, task in service.tasks.items():
            one_off = definition(name)
            run = runner.run(
                self,
                f"{name}-run",
                task_definition=one_off,
                security_group=group,
                when="each" if task.when == "deploy" else "first",
            )
            self.fargate.node.add_dependency(run)
            if task.when != "deploy":
                scheduler.Schedule(
                    self,
                    f"{name}-schedule",
                    schedule_name=one_off.family,
                    description=task.purpose,
                    schedule=scheduler.ScheduleExpression.expression(task.when),
                    target=cast(
                        "scheduler.IScheduleTarget",
                        targets.EcsRunFargateTask(
                            cluster,
                            task_definition=one_off,
                            vpc_subnets=APPLICATION,
                            security_groups=[group],
                            assign_public_ip=False,
                        ),
                    ),
                )
