"""A Fargate task made of a ``service.toml``: the service itself, or one of its one-off tasks."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import principals
from infra.compute.dockerfiles import USER
from infra.compute.rights import Grant, use_key_of_secrets
from infra.services import Service
from infra.settings import Environment
from infra.sizes import size_of

_ARCHITECTURES = {"ARM64": ecs.CpuArchitecture.ARM64, "X86_64": ecs.CpuArchitecture.X86_64}


class TaskDefinition(ecs.FargateTaskDefinition):
    """One container without rights: no root, no capabilities, nothing writable but ``/tmp``.

    Its environment is what ``service.toml`` says and no more. It runs under a role of its own with a fixed name, by
    which the policies of the stores know it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        service: Service,
        task: str | None = None,
        image: assets.DockerImageAsset,
        values: Mapping[str, str],
        log_group: logs.ILogGroup,
        grants: Sequence[Grant],
        secrets_key_arn: str | None = None,
    ) -> None:
        """``task`` is the one-off task; without it the service itself, which alone finds secrets in its environment:
        ``secrets_key_arn`` is the key that they are encrypted with."""
        name = environment.resource_name(service.name, *([task] if task else []))
        size = size_of(environment, service)
        principal = principals.service("ecs-tasks.amazonaws.com", account=environment.account.id)
        role = cast("iam.IRole", iam.Role(scope, f"{construct_id}Role", role_name=name, assumed_by=principal))
        super().__init__(
            scope,
            construct_id,
            family=name,
            cpu=size.cpu,
            memory_limit_mib=size.memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=_ARCHITECTURES[environment.compute.architecture],
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=role,
            volumes=[ecs.Volume(name="tmp")],
        )
        for grant in grants:
            grant(role)
        linux = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        linux.drop_capabilities(ecs.Capability.ALL)
        container = self.add_container(
            service.name,
            image=ecs.ContainerImage.from_docker_image_asset(image),
            command=["python", "-m", service.tasks[task].module] if task else None,
            environment=service.environment("cloud", values, task),
            secrets=None if task else self._secrets(service, values),
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=linux,
            logging=ecs.LogDrivers.aws_logs(stream_prefix=task or "service", log_group=log_group),
            stop_timeout=cdk.Duration.seconds(service.grace.stop_seconds),
            health_check=None if task else _health_check(service),
            port_mappings=None if task else [ecs.PortMapping(container_port=service.port, name="https")],
        )
        if secrets_key_arn and not task:
            use_key_of_secrets(self.obtain_execution_role(), secrets_key_arn, "kms:Decrypt")
        container.add_mount_points(ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False))  # noqa: S108  # the image declares it as a volume

    def _secrets(self, service: Service, values: Mapping[str, str]) -> Mapping[str, ecs.Secret]:
        """What ECS fetches when the task starts, and no template, log or image holds."""
        return {
            name: ecs.Secret.from_secrets_manager(secretsmanager.Secret.from_secret_complete_arn(self, name, arn))
            for name, arn in service.secret_sources("cloud", values).items()
        }


def _health_check(service: Service) -> ecs.HealthCheck:
    """Asks whether the process lives, without checking its certificate: it made that itself, for no name.

    The deployment's circuit breaker counts this, and not what VPC Lattice sees.
    """
    health = service.health
    probe = (
        "import ssl, urllib.request as r; "
        f"r.urlopen('https://127.0.0.1:{service.port}{health.live}', timeout={health.timeout_seconds - 1}, "
        "context=ssl._create_unverified_context())"
    )
    return ecs.HealthCheck(
        command=["CMD", "python", "-c", probe],
        interval=cdk.Duration.seconds(health.interval_seconds),
        timeout=cdk.Duration.seconds(health.timeout_seconds),
        retries=health.unhealthy_count,
        start_period=cdk.Duration.seconds(health.start_seconds),
    )
