"""One service with all that belongs to it: image, log group, tasks, and what runs it when."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.compute.access import Access
from infra.compute.fargate_service import ReplaceableService
from infra.compute.image import service_image
from infra.compute.lattice import PrivateService
from infra.compute.public_targets import PublicTargets
from infra.compute.request_metrics import RequestMetrics, namespace
from infra.compute.run_task.construct import TaskRunner
from infra.compute.scaling import Scaling
from infra.compute.schedules import Schedules
from infra.compute.service_alarms import ServiceAlarms
from infra.compute.task_definition import TaskDefinition
from infra.encryption import EncryptedLogGroup
from infra.network.stack import NetworkStack
from infra.services import Service
from infra.settings import Environment
from infra.sizes import size_of, tasks_of


class DeployedService(Construct):
    """Made of ``service.toml``. Its one-off tasks run before the new version starts, one after another in the order of
    the file: those for each deployment always, those on a schedule in the first deployment, because the service may
    need what they make."""

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
        schedules: Schedules,
        way_in: PublicTargets | PrivateService,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, service.name)
        self._environment, self._service = environment, service
        group = network.security_groups.services[service.name]
        image = service_image(self, service, architecture=environment.compute.architecture)
        self.log_group = log_group = EncryptedLogGroup(
            self, "LogGroup", environment=environment, key=network.logs_key, name=service.name
        )
        self._requests = RequestMetrics(
            self, "Requests", metrics=namespace(environment), service=service, log_group=log_group
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
                secrets_key_arn=environment.model.api_key_kms_key if service.model else None,
            )

        own = definition()
        self.task_role: iam.IRole = own.task_role
        public = way_in if isinstance(way_in, PublicTargets) else None
        alarms = ServiceAlarms(
            self,
            "Alarms",
            name=environment.resource_name(service.name),
            requests=self._requests,
            seconds=environment.operations.p99_seconds,
            errors=public is None,
            family=own.family,
            cluster_arn=cluster.cluster_arn,
            topic=topic,
        )
        self.fargate = ReplaceableService(
            self,
            "Service",
            cluster=cluster,
            task_definition=own,
            security_group=group,
            strategy=environment.compute.backend.strategy if public else "rolling",
            alarms=[*alarms.all, *(public.alarms if public else ())] if environment.compute.watched else (),
            start_seconds=service.health.start_seconds if public else None,
        )
        way_in.attach(self.fargate)
        self._scale(public)
        before: cdk.CustomResource | None = None
        for name, task in service.tasks.items():
            one_off = definition(name)
            run = runner.run(
                self,
                f"{name}-run",
                task_definition=one_off,
                security_group=group,
                when="each" if task.when == "deploy" else "first",
            )
            if before:
                run.node.add_dependency(before)
            before = run
            self.fargate.node.add_dependency(run)
            if task.when != "deploy":
                schedules.add(task_definition=one_off, expression=task.when, security_group=group)

    def _scale(self, public: PublicTargets | None) -> None:
        tasks = tasks_of(self._environment, self._service)
        scaling = Scaling(self, "Scaling", service=self.fargate, least=tasks.least, most=tasks.most)
        if public and not public.swaps:
            scaling.by_requests(public.group, vcpus=size_of(self._environment, self._service).cpu / 1024)
        if self._service.model:
            scaling.by_replies(self._requests.untimed(), at_a_time=self._environment.model.concurrency)
