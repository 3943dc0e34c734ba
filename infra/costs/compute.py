"""What runs, and what its images and figures cost."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.costs import assumptions
from infra.costs.deployed import Deployed, Resource
from infra.costs.line import Line


@dataclass(frozen=True)
class TasksOfService:
    """How many tasks of a service run when nothing happens, and the vCPUs and memory (GiB) of one."""

    name: str
    least: int
    vcpus: float
    gib: float
    architecture: str


def tasks(deployed: Deployed) -> list[TasksOfService]:
    """Every ECS service's tasks at their least: what it asks for, or the lower end of its scaling."""
    return [_tasks(deployed, service) for service in deployed.of("AWS::ECS::Service")]


def _tasks(deployed: Deployed, service: Resource) -> TasksOfService:
    scaled = [t for t in deployed.of("AWS::ApplicationAutoScaling::ScalableTarget") if t.mentions(service)]
    counts = [int(target.properties["MinCapacity"]) for target in scaled]
    least = counts[0] if counts else int(service.properties.get("DesiredCount", 1))
    (definition,) = [d for d in deployed.of("AWS::ECS::TaskDefinition") if service.mentions(d)]
    properties = definition.properties
    return TasksOfService(
        name=str(properties["ContainerDefinitions"][0]["Name"]),
        least=least,
        vcpus=int(properties["Cpu"]) / 1024,
        gib=int(properties["Memory"]) / 1024,
        architecture=properties.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64").lower(),
    )


def fargate(deployed: Deployed) -> Iterator[Line]:
    """Each service's tasks, and the storage of their images."""
    for service in tasks(deployed):
        size = f"{service.least} × {service.vcpus:g} vCPU, {service.gib:g} GiB"
        processor = f"fargate.{service.architecture}"
        yield Line(f"Tasks of {service.name}", size, f"{processor}.vcpu", service.least * service.vcpus)
        yield Line(f"Tasks of {service.name}, memory", size, f"{processor}.gb", service.least * service.gib)
    if deployed.images:
        gigabytes = deployed.images * assumptions.IMAGE_GB * assumptions.IMAGE_VERSIONS
        yield Line("Images", f"{deployed.images}, size assumed", "ecr.storage", gigabytes)


def insights(deployed: Deployed) -> Iterator[Line]:
    """Container Insights, by metric."""
    clusters = [
        cluster
        for cluster in deployed.of("AWS::ECS::Cluster")
        if any(
            setting.get("Name") == "containerInsights" and setting.get("Value") in {"enabled", "enhanced"}
            for setting in cluster.properties.get("ClusterSettings", ())
        )
    ]
    if clusters:
        services = tasks(deployed)
        metrics = (
            len(clusters) * assumptions.INSIGHTS_METRICS_A_CLUSTER
            + len(services) * assumptions.INSIGHTS_METRICS_A_SERVICE
            + sum(service.least for service in services) * assumptions.INSIGHTS_METRICS_A_TASK
        )
        yield Line("Container Insights", f"{metrics} metrics, assumed", "container_insights", metrics)


COUNTERS = {
    "AWS::ECS::Service": fargate,
    "AWS::ECS::TaskDefinition": fargate,
    "AWS::ApplicationAutoScaling::ScalableTarget": fargate,
    "AWS::ECS::Cluster": insights,
}
