"""VPC Lattice: what a service accepts, and how it speaks to its targets.

HTTPS listeners admit TLS 1.2 and 1.3: <https://docs.aws.amazon.com/vpc-lattice/latest/ug/https-listeners.html>.
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.served import Served
from infra.assurance.transport.tls import NONE, TARGET_DECIDES, TLS12
from infra.assurance.transport.values import at, known, number, read, tables, truth

SERVICE: Final = "AWS::VpcLattice::Service"
LISTENER: Final = "AWS::VpcLattice::Listener"
_RULE: Final = "AWS::VpcLattice::Rule"
_TARGET_GROUP: Final = "AWS::VpcLattice::TargetGroup"
_TLS: Final = {"HTTP": NONE, "HTTPS": TLS12, "TLS_PASSTHROUGH": TARGET_DECIDES}
_PORTS: Final = {"HTTP": 80, "HTTPS": 443}


def accepted(model: Model, service: Resource) -> Iterator[Served]:
    """What a service answers.

    Raises:
        Refused: a listener's protocol has no model.
    """
    return (listens(listener) for listener in _listeners(model, service))


def listens(listener: Resource) -> Served:
    """What a listener answers; refused like `accepted`."""
    protocol = known(listener.value("Protocol"), listener, "Protocol")
    if protocol not in _TLS:
        raise listener.refuse(f"listens with the protocol {protocol}, which the proof does not know")
    port = number(listener.value("Port") or _PORTS.get(protocol), listener, "Port")
    return Served(port, protocol, _TLS[protocol], (listener,))


def sent(model: Model, service: Resource, target: Resource) -> Iterator[Served]:
    """How a service speaks to one of its targets, health checks included.

    Raises:
        Refused: a target group's protocol has no model.
    """
    for listener in _listeners(model, service):
        for group in _forwards(model, listener):
            for port in _ports(model, group, target):
                yield from _spoken_to(listener, group, port)


def _listeners(model: Model, service: Resource) -> list[Resource]:
    return [each for each in model.of_type(LISTENER) if model.find(each.value("ServiceIdentifier"), SERVICE) is service]


def _forwards(model: Model, listener: Resource) -> list[Resource]:
    rules = (
        each for each in model.of_type(_RULE) if model.find(each.value("ListenerIdentifier"), LISTENER) is listener
    )
    actions: list[Json] = [listener.value("DefaultAction"), *(rule.value("Action") for rule in rules)]
    groups = (group for action in actions for group in tables(at(action, "Forward.TargetGroups")))
    found = (model.find(group.get("TargetGroupIdentifier"), _TARGET_GROUP) for group in groups)
    return list(dict.fromkeys(group for group in found if group is not None))


def _ports(model: Model, group: Resource, target: Resource) -> list[int | None]:
    if target.type == "AWS::ECS::Service":
        entries = tables(target.value("VpcLatticeConfigurations"))
        mine = [entry for entry in entries if model.find(entry.get("TargetGroupArn"), _TARGET_GROUP) is group]
        return [_port_named(model, target, str(entry.get("PortName"))) for entry in mine]
    entries = [entry for entry in tables(group.value("Targets")) if model.find(entry.get("Id")) is target]
    return [
        None if (port := entry.get("Port")) is None else number(port, group, "a target's Port") for entry in entries
    ]


def _port_named(model: Model, service: Resource, name: str) -> int | None:
    """The container port that a task definition gives the name to; None where none does."""
    task = model.find(service.value("TaskDefinition"), "AWS::ECS::TaskDefinition", near=service)
    containers = tables(task.value("ContainerDefinitions")) if task else []
    for container in containers:
        for mapping in tables(container.get("PortMappings")):
            if mapping.get("Name") == name:
                return number(mapping.get("ContainerPort"), service, "ContainerPort")
    return None


def _spoken_to(listener: Resource, group: Resource, port: int | None) -> Iterator[Served]:
    protocol = known(read(group, "Config.Protocol") or "HTTPS", group, "Protocol")
    if protocol not in {"HTTP", "HTTPS", "TCP"}:
        raise group.refuse(f"speaks {protocol} to its targets, which the proof does not know")
    port = port if port is not None else number(read(group, "Config.Port") or _PORTS.get(protocol), group, "Port")
    yield Served(port, protocol, NONE if protocol == "HTTP" else TARGET_DECIDES, (listener, group))
    # On by default for HTTP/1.1, and plain unless it is set:
    # <https://docs.aws.amazon.com/vpc-lattice/latest/ug/target-group-health-checks.html>.
    by_default = (read(group, "Config.ProtocolVersion") or "HTTP1") == "HTTP1" and group.value("Type") != "ALB"
    if truth(group, "Config.HealthCheck.Enabled", default=by_default):
        check = known(read(group, "Config.HealthCheck.Protocol") or "HTTP", group, "HealthCheck.Protocol")
        own = read(group, "Config.HealthCheck.Port")
        checked = port if own is None else number(own, group, "HealthCheck.Port")
        yield Served(checked, f"health check {check}", NONE if check == "HTTP" else TARGET_DECIDES, (group,))
