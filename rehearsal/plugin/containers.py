"""How a task's container is run: with all that its task definition says, which MiniStack leaves out half of."""

import importlib
import os
from collections.abc import Callable
from typing import Any, cast

from rehearsal.plugin import endpoints, ministack
from rehearsal.plugin.journal import note
from rehearsal.plugin.registry import local

NETWORK = os.environ["REHEARSAL_NETWORK"]
GATEWAY = os.environ["REHEARSAL_GATEWAY"]
"""This machine in the tasks' network; AWS SDKs take credentials from no other address than this one of ECS's."""
BUNDLE = os.environ["REHEARSAL_CA"]
TRUSTED = ("/srv/rds-ca.pem", "/etc/ssl/certs/ca-certificates.crt")
"""Where an image looks for who signs certificates: of the database, and of everything else."""
LABEL = "sanctum.rehearsal"
STOP_LABEL = "sanctum.rehearsal.stop-seconds"

roles: dict[str, str] = {}
"""Role of a task by the last part of the address where it asks for its credentials."""


class Wrapped:
    """Something of the container engine's client, with some of its attributes replaced."""

    def __init__(self, real: Any, **replaced: Any) -> None:
        self._real, self._replaced = real, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced[name] if name in self._replaced else getattr(self._real, name)


def install() -> None:
    """Have ECS run its containers so."""
    ecs = ministack.module("services.ecs")
    engine = ecs._get_docker
    ecs._get_docker = lambda: _engine(engine())
    note("bypassed", "ECS: tasks are given their name server, trust and endpoints by the rehearsal, not by the VPC")


def _engine(real: Any) -> Any:
    if real is None:
        raise RuntimeError("no container engine answers")
    images = real.images
    names = {name: _with_local_name(getattr(images, name)) for name in ("get", "pull", "get_registry_data")}
    start = real.containers.run

    def run(image: str, **options: Any) -> Any:
        return start(local(image), **_options(options))

    return Wrapped(real, images=Wrapped(images, **names), containers=Wrapped(real.containers, run=run))


def _with_local_name(call: Callable[..., Any]) -> Callable[..., Any]:
    def named(image: str, *rest: Any, **more: Any) -> Any:
        return call(local(image), *rest, **more)

    return named


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Of ``docker run``, from those that MiniStack has and the task definition."""
    mount = cast("Any", importlib.import_module("docker")).types.Mount
    ecs = ministack.module("services.ecs")
    labels = given["labels"]
    task = ecs._tasks[labels["com.amazonaws.ecs.task-arn"]]
    definition = ecs._task_defs[task["taskDefinitionArn"].rsplit("/", 1)[-1]]
    name = labels["com.amazonaws.ecs.container-name"]
    container = next(each for each in definition["containerDefinitions"] if each["name"] == name)
    linux = container.get("linuxParameters", {})
    environment = _environment(given["environment"], definition)
    volumes = [mount["containerPath"] for mount in container.get("mountPoints", [])]
    return given | {
        "environment": environment,
        "network": NETWORK,
        "extra_hosts": dict.fromkeys(endpoints.ALL, GATEWAY),
        "labels": labels | {LABEL: "task", STOP_LABEL: str(container.get("stopTimeout", 30))},
        "nano_cpus": int(definition["cpu"]) * 10**9 // 1024,
        "mem_limit": f"{definition['memory']}m",
        "memswap_limit": f"{definition['memory']}m",
        "user": container.get("user"),
        "read_only": container.get("readonlyRootFilesystem", False),
        "init": linux.get("initProcessEnabled", False),
        "cap_drop": linux.get("capabilities", {}).get("drop", []),
        "mounts": [
            *(mount(target=path, source=None, type="volume") for path in volumes),
            *(mount(target=path, source=BUNDLE, type="bind", read_only=True) for path in TRUSTED),
        ],
        "healthcheck": _health(container.get("healthCheck")),
    }


def _environment(given: dict[str, str], definition: dict[str, Any]) -> dict[str, str]:
    """What ECS adds, with this machine's address in the tasks' network."""
    here = {
        name: value.replace("host.docker.internal", GATEWAY) if name.startswith(("AWS_", "ECS_")) else value
        for name, value in given.items()
    }
    roles[here["AWS_CONTAINER_CREDENTIALS_FULL_URI"].rsplit("/", 1)[-1]] = definition["taskRoleArn"]
    return here | {"AWS_REGION": ministack.region(), "AWS_DEFAULT_REGION": ministack.region()}


def _health(check: dict[str, Any] | None) -> dict[str, Any] | None:
    if check is None:
        return None
    seconds = 10**9
    return {
        "test": check["command"],
        "interval": check["interval"] * seconds,
        "timeout": check["timeout"] * seconds,
        "retries": check["retries"],
        "start_period": check.get("startPeriod", 0) * seconds,
    }
