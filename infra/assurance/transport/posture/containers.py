"""Containers of ECS tasks and Batch jobs: who they run as, what they may do to their host, where their output goes.

<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>
"""

import json
import re
from collections.abc import Iterator
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.posture.settings import NO, YES
from infra.assurance.transport.values import as_truth, at, known, read, spoken, tables, texts

TASK: Final = "AWS::ECS::TaskDefinition"
JOB: Final = "AWS::Batch::JobDefinition"
_ROOT: Final = frozenset({"root", "0"})
_REGISTRY: Final = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.")


def containers(resource: Resource) -> list[tuple[str, dict[str, Json]]]:
    """The containers that a task or job definition describes, by the name that facts give them."""
    if resource.type == TASK:
        found = tables(resource.value("ContainerDefinitions"))
        return [(f"{resource.name} ({container.get('Name')})", container) for container in found]
    if resource.type == JOB:
        single = [(resource.name, each) for each in tables(resource.value("ContainerProperties"))]
        several = tables(read(resource, "EcsProperties.TaskProperties"))
        return single + [
            (f"{resource.name} ({container.get('Name')})", container)
            for task in several
            for container in tables(task.get("Containers"))
        ]
    return []


def of_containers(model: Model, resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Name, quality and value for each container.

    Raises:
        Refused: only a deployment knows a value.
    """
    for name, container in containers(resource):
        for quality, value in _qualities(model, resource, container):
            yield name, quality, value


def of_task(resource: Resource) -> Iterator[tuple[str, str]]:
    """What a task shares with its host: facts only if it does."""
    for key, quality in (("NetworkMode", "network"), ("PidMode", "process ids"), ("IpcMode", "memory")):
        if resource.value(key) == "host":
            yield f"{quality} of the host", YES
    for volume in tables(resource.value("Volumes")):
        if path := at(volume, "Host.SourcePath"):
            yield "folder of the host", known(path, resource, "SourcePath")
        efs = volume.get("EFSVolumeConfiguration")
        if efs:
            yield "file system mounted over TLS", YES if at(efs, "TransitEncryption") == "ENABLED" else NO


def _qualities(model: Model, resource: Resource, container: dict[str, Json]) -> Iterator[tuple[str, str]]:
    yield "user", _user(resource, container)
    writable = not _flag(resource, container, "ReadonlyRootFilesystem")
    yield "root file system", "writable" if writable else "read-only"
    yield "privileged", YES if _flag(resource, container, "Privileged") else NO
    yield "capabilities dropped", spoken(texts(at(container, "LinuxParameters.Capabilities.Drop")))
    yield "log", _log(model, resource, container)
    yield "image from", _registry(resource, container)
    if added := texts(at(container, "LinuxParameters.Capabilities.Add")):
        yield "capabilities added", spoken(added)
    if devices := tables(at(container, "LinuxParameters.Devices")):
        yield "devices of the host", spoken(str(device.get("HostPath")) for device in devices)
    if options := texts(container.get("DockerSecurityOptions")):
        yield "security options", spoken(options)


def _user(resource: Resource, container: dict[str, Json]) -> str:
    given = container.get("User")
    if given is None or not str(given):
        return "image decides"
    user = known(given, resource, "User")
    return "root" if user.split(":")[0] in _ROOT else user


def _flag(resource: Resource, container: dict[str, Json], key: str) -> bool:
    value = container.get(key)
    return value is not None and as_truth(value, resource, key)


def _log(model: Model, resource: Resource, container: dict[str, Json]) -> str:
    configuration = container.get("LogConfiguration")
    driver = at(configuration, "LogDriver")
    if not driver:
        return "none"
    group = at(configuration, "Options.awslogs-group")
    found = model.find(group, "AWS::Logs::LogGroup", near=resource)
    return f"{driver} to {found.name}" if found else str(driver) + (f" to {group}" if group else "")


def _registry(resource: Resource, container: dict[str, Json]) -> str:
    """The registry that serves the image; a name without one is Docker Hub's."""
    first, slash, _ = str(container.get("Image")).partition("/")
    if match := _REGISTRY.match(known(first, resource, "Image")):
        return f"account {match.group(1)}"
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def public_addresses(resource: Resource) -> Iterator[bool]:
    """Whether each network configuration for ECS tasks in a resource asks for a public address."""
    if "wsvpcconfiguration" not in json.dumps(resource.body).lower():
        return
    if resource.type == "AWS::StepFunctions::StateMachine":
        for key in ("Definition", "DefinitionString"):
            yield from _addresses(resource, resource.value(key))
    else:
        yield from _addresses(resource, dict(resource.properties))


def _addresses(resource: Resource, value: Json) -> Iterator[bool]:
    if isinstance(value, str) and "wsvpcconfiguration" in value.lower():
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Json]", value).items():
            if key.lower() == "awsvpcconfiguration":
                if not isinstance(inner, dict):
                    raise resource.refuse("has a network configuration for tasks that its template does not tell")
                named = {name.lower(): setting for name, setting in cast("dict[str, Json]", inner).items()}
                yield named.get("assignpublicip") == "ENABLED"
            else:
                yield from _addresses(resource, inner)
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _addresses(resource, inner)
