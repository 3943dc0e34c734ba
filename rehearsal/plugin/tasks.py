"""ECS: when a task is well, how it is stopped, and when CloudFormation may go on; MiniStack waits for none of it."""

import threading
import time
from typing import Any

from rehearsal.plugin import lattice, ministack, rights
from rehearsal.plugin.client import client, shaped
from rehearsal.plugin.containers import NETWORK, STOP_LABEL, roles
from rehearsal.plugin.handlers import Json, Made, table, threaded
from rehearsal.plugin.journal import note
from rehearsal.plugin.moments import happened

SERVICE, DEFINITION = "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
STEADY_SECONDS = 600
"""A service that took longer would fail its deployment on AWS too: `infra.compute` has the services start in 60."""
NOT_HERE = ("Tags", "VpcLatticeConfigurations", "AvailabilityZoneRebalancing")

healthy: set[str] = set()
"""``address:port`` of the targets that pass their load balancer's health check, as the fronts say."""
_lattice: dict[str, tuple[str, int]] = {}
"""Target group in VPC Lattice by the service that registers its tasks there, and their port."""


def install() -> None:
    """Replace what MiniStack does."""
    ecs, imds = ministack.module("services.ecs"), ministack.module("services.imds")
    ecs._schedule_service_deployment_completion = _complete_when_healthy
    ecs._remove_docker_container = _stop
    publish = ecs._sync_service_targets

    def published(cluster: str, service: Any) -> None:
        publish(cluster, service)
        _publish_to_lattice(service)

    ecs._sync_service_targets = published
    answer = imds.handle_request

    async def credentials(method: str, path: str, *rest: Any) -> Any:
        role = roles.get(path.rsplit("/", 1)[-1]) if path.startswith("/v2/credentials/") else None
        return imds._json_resp(rights.session(role, "task")) if role else await answer(method, path, *rest)

    imds.handle_request = credentials
    service = table()[SERVICE]
    update = service["update"]

    def updated(physical: str, old: Json, new: Json, *rest: Any) -> Made:
        made = update(physical, old, new, *rest)
        _wait(new["Cluster"], made[1]["Name"], new["TaskDefinition"])
        return made

    service.update(create=_service, update=updated)
    definition = {"create": _definition, "update": _new_definition, "update_with_logical_id": True}
    table()[DEFINITION] = definition | {"delete": _no_definition}
    for kind in (SERVICE, DEFINITION):
        threaded(kind)
        note("repaired", kind)
    note("bypassed", "ECS: alarms send no deployment back; the circuit breaker does")


def _definition(logical: str, properties: Json, stack: str) -> Made:
    given = {"Family": f"{stack}-{logical}"} | {name: v for name, v in properties.items() if name not in NOT_HERE}
    made = client("ecs").register_task_definition(**shaped("ecs", "RegisterTaskDefinition", given))
    arn = made["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _new_definition(physical: str, old: Json, new: Json, stack: str, logical_id: str | None = None) -> Made:
    changed = {name for name in old | new if name != "Tags" and old.get(name) != new.get(name)}
    return _definition(logical_id or physical, new, stack) if changed else (physical, {"TaskDefinitionArn": physical})


def _no_definition(physical: str, _: Json) -> None:
    client("ecs").deregister_task_definition(taskDefinition=physical)


def _service(logical: str, properties: Json, stack: str) -> Made:
    given: Json = {"ServiceName": f"{stack}-{logical}", "DesiredCount": 1}
    given |= {name: value for name, value in properties.items() if name not in NOT_HERE}
    name = given["ServiceName"]
    for entry in properties.get("VpcLatticeConfigurations", []):
        _lattice[name] = (entry["TargetGroupArn"], _port(properties["TaskDefinition"], entry["PortName"]))
    made = client("ecs").create_service(**shaped("ecs", "CreateService", given))["service"]
    _wait(properties["Cluster"], name, properties["TaskDefinition"])
    return made["serviceArn"], {"ServiceArn": made["serviceArn"], "Name": name}


def _port(definition: str, name: str) -> int:
    containers = client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    ports = [port for each in containers["containerDefinitions"] for port in each["portMappings"]]
    return next(port["containerPort"] for port in ports if port["name"] == name)


def _wait(cluster: str, name: str, definition: str) -> None:
    """Until the service runs ``definition`` and nothing else.

    Raises:
        ValueError: it went back to another, or takes too long.
    """
    ecs = ministack.module("services.ecs")
    service = ecs._services[f"{cluster}/{name}"]
    until = time.monotonic() + STEADY_SECONDS
    while time.monotonic() < until:
        deployment = ecs._primary_deployment(service)
        state = deployment["rolloutState"]
        if state == "FAILED" or deployment["taskDefinition"] != definition:
            raise ValueError(f"ECS Deployment Circuit Breaker was triggered. {_reasons(name)}")
        if state == "COMPLETED" and _well(service) == service["runningCount"] == service["desiredCount"]:
            return
        time.sleep(0.25)
    raise ValueError(f"{name} is not steady after {STEADY_SECONDS} s. {_reasons(name)}")


def _well(service: Any) -> int:
    """How many tasks of a service run and were found healthy."""
    tasks = list(ministack.module("services.ecs")._tasks.values())
    own = [task for task in tasks if task["group"] == f"service:{service['serviceName']}"]
    return sum(task["lastStatus"] == "RUNNING" and task.get("_startup_stable", False) for task in own)


def _reasons(name: str) -> str:
    tasks = ministack.module("services.ecs")._tasks.values()
    said = [task["stoppedReason"] for task in tasks if task["group"] == f"service:{name}" and task["stoppedReason"]]
    return "; ".join(dict.fromkeys(said[-3:]))


def _complete_when_healthy(cluster: str, key: str, account: str, region: str, healthy_task: Any = None) -> None:
    """In the place of MiniStack's second after which a task is taken for well."""
    ecs = ministack.module("services.ecs")
    service = ecs._services[key]
    deployment = ecs._deployment_for_task(service, healthy_task) if healthy_task else ecs._primary_deployment(service)
    scope = ministack.module("core.responses").request_scope

    def check() -> None:
        with scope(account, region):
            if healthy_task is not None and not _becomes_healthy(service, healthy_task):
                return
            if service.get("status") == "ACTIVE":
                if healthy_task is not None:
                    ecs._record_service_task_healthy(key, healthy_task)
                ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")
                ecs._reconcile_service_tasks(cluster, key)
                ecs._complete_service_deployment(cluster, key, expected_deployment_id=deployment["id"])

    threading.Thread(target=check, daemon=True).start()


def _becomes_healthy(service: Any, task: Any) -> bool:
    """Wait for the container's own check and the load balancer's; kills a container that fails its own."""
    ecs = ministack.module("services.ecs")
    engine = ecs._get_docker()
    while task["lastStatus"] == "RUNNING":
        ids = list(task.get("_docker_ids") or [])
        states = [engine.containers.get(each).attrs["State"].get("Health", {}).get("Status") for each in ids]
        for each, state in zip(ids, states, strict=True):
            if state == "unhealthy":
                engine.containers.get(each).kill()
        if ids and all(state in (None, "healthy") for state in states) and _targets(service, task) <= healthy:
            return True
        time.sleep(0.25)
    return False


def _targets(service: Any, task: Any) -> set[str]:
    """What of the task its load balancers ask for its health."""
    address = ministack.module("services.ecs")._task_ip(task)
    balancers: list[Json] = service.get("loadBalancers") or []
    ports: list[int] = [entry["containerPort"] for entry in balancers]
    ports += [_lattice[service["serviceName"]][1]] if service["serviceName"] in _lattice else []
    return {f"{address}:{port}" for port in ports}


def _publish_to_lattice(service: Any) -> None:
    ecs = ministack.module("services.ecs")
    name = service["serviceName"]
    if name in _lattice:
        group, port = _lattice[name]
        running = [
            task
            for task in list(ecs._tasks.values())
            if task["group"] == f"service:{name}" and task["lastStatus"] == "RUNNING"
        ]
        lattice.publish(group, [f"{ecs._task_ip(task)}:{port}" for task in running if ecs._task_ip(task)])


def _stop(engine: Any, container: Any) -> None:
    """End a container as ECS does: SIGTERM, and SIGKILL when its time is over; nobody waits for it.

    Without an engine it is asked to forget one that has ended; what that one wrote may still be read.
    """
    if engine is None or container is None:
        return
    found = engine.containers.get(container) if isinstance(container, str) else container

    def end() -> None:
        if found.status == "running":
            happened("told to end", address=found.attrs["NetworkSettings"]["Networks"][NETWORK]["IPAddress"])
        found.stop(timeout=int(found.labels[STOP_LABEL]))
        found.remove(v=True, force=True)

    threading.Thread(target=end, daemon=True).start()
