"""What application, network and gateway load balancers accept, and how they speak to their targets.

<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html>,
<https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html>.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.served import Served
from infra.assurance.transport.tls import (
    ELASTIC_LOAD_BALANCING,
    ELASTIC_LOAD_BALANCING_DEFAULT,
    NONE,
    TARGET_DECIDES,
    TLS13,
    of_policy,
)
from infra.assurance.transport.values import at, known, number, read, tables, texts, truth

LOAD_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER: Final = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP: Final = "AWS::ElasticLoadBalancingV2::TargetGroup"
_RULE: Final = "AWS::ElasticLoadBalancingV2::ListenerRule"
_TRAFFIC_PORT: Final = "traffic-port"

# By the protocol of a listener or a target group that terminates no TLS: what is carried over what.
_PASSED_ON: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "TCP": (("tcp", "TCP", TARGET_DECIDES),),
    "UDP": (("udp", "UDP", TARGET_DECIDES),),
    "TCP_UDP": (("tcp", "TCP", TARGET_DECIDES), ("udp", "UDP", TARGET_DECIDES)),
    "QUIC": (("udp", "QUIC", TLS13),),
    "TCP_QUIC": (("tcp", "TCP", TARGET_DECIDES), ("udp", "QUIC", TLS13)),
    "GENEVE": (("udp", "GENEVE", NONE),),
}


def listeners(model: Model, balancer: Resource) -> list[Resource]:
    """The listeners of a load balancer."""
    return [each for each in model.of_type(LISTENER) if model.find(each.value("LoadBalancerArn")) is balancer]


def accepted(model: Model, balancer: Resource) -> list[Served]:
    """What a load balancer answers on each of its ports.

    Raises:
        Refused: a listener's protocol or security policy has no model.
    """
    return [served for listener in listeners(model, balancer) for served in listens(model, listener)]


def sent(model: Model, balancer: Resource, target: Resource) -> list[Served]:
    """How a load balancer speaks to one of its targets, health checks included.

    Groups whose targets no template names (an Auto Scaling group fills them) count as the target's.

    Raises:
        Refused: a target group's protocol has no model.
    """
    found: list[Served] = []
    forwarding = [(listener, group) for listener in listeners(model, balancer) for group in _forwards(model, listener)]
    for listener, group in forwarding:
        members = list(registered(model, group))
        ports = [port for member, port in members if member is target]
        if not ports and any(member is not None for member, _ in members):
            continue
        for port in ports or [None]:
            found += _spoken_to(listener, group, port)
    return found


def registered(model: Model, group: Resource) -> Iterator[tuple[Resource | None, int | None]]:
    """The targets of a group with the port of each, None for what the group or a deployment decides."""
    for service in model.of_type("AWS::ECS::Service", "AWS::ECS::TaskSet"):
        for entry in tables(service.value("LoadBalancers")):
            alternate = at(entry, "AdvancedConfiguration.AlternateTargetGroupArn")
            if group in {model.find(entry.get("TargetGroupArn"), TARGET_GROUP), model.find(alternate, TARGET_GROUP)}:
                port = entry.get("ContainerPort")
                yield service, None if port is None else number(port, service, "ContainerPort")
    for scaling in model.of_type("AWS::AutoScaling::AutoScalingGroup"):
        if any(model.find(arn, TARGET_GROUP) is group for arn in texts(scaling.value("TargetGroupARNs"))):
            yield None, None
    for target in tables(group.value("Targets")):
        port = target.get("Port")
        yield model.find(target.get("Id")), None if port is None else number(port, group, "a target's Port")


def _actions(model: Model, listener: Resource) -> Iterator[dict[str, Json]]:
    yield from tables(listener.value("DefaultActions"))
    for rule in model.of_type(_RULE):
        if model.find(rule.value("ListenerArn")) is listener:
            yield from tables(rule.value("Actions"))


def _forwards(model: Model, listener: Resource) -> list[Resource]:
    groups: dict[Resource, None] = {}
    for action in _actions(model, listener):
        arns = [action.get("TargetGroupArn")]
        arns += [group.get("TargetGroupArn") for group in tables(at(action, "ForwardConfig.TargetGroups"))]
        for arn in arns:
            if group := model.find(arn, TARGET_GROUP):
                groups[group] = None
    return list(groups)


def listens(model: Model, listener: Resource) -> Iterator[Served]:
    """What a listener answers.

    Raises:
        Refused: its protocol or security policy has no model.
    """
    protocol = known(listener.value("Protocol") or "GENEVE", listener, "Protocol")
    port = number(listener.value("Port") or 6081, listener, "Port")
    if protocol == "HTTP":
        yield Served(port, "HTTP redirect" if _only_redirects(model, listener) else "HTTP", NONE, (listener,))
    elif protocol in {"HTTPS", "TLS"}:
        policy = known(listener.value("SslPolicy") or ELASTIC_LOAD_BALANCING_DEFAULT, listener, "SslPolicy")
        yield Served(port, protocol, of_policy(policy, ELASTIC_LOAD_BALANCING, listener), (listener,))
    elif protocol in _PASSED_ON:
        for over, named, tls in _PASSED_ON[protocol]:
            yield Served(port, named, tls, (listener,), over)
    else:
        raise listener.refuse(f"listens with the protocol {protocol}, which the proof does not know")


def _only_redirects(model: Model, listener: Resource) -> bool:
    actions = list(_actions(model, listener))
    return bool(actions) and all(
        action.get("Type") == "redirect" and at(action, "RedirectConfig.Protocol") == "HTTPS" for action in actions
    )


def _spoken_to(listener: Resource, group: Resource, port: int | None) -> Iterator[Served]:
    if group.value("TargetType") == "lambda":
        return
    evidence = (listener, group)
    protocol = known(group.value("Protocol"), group, "Protocol")
    port = number(group.value("Port"), group, "Port") if port is None else port
    if protocol == "HTTP":
        yield Served(port, "HTTP", NONE, evidence)
    elif protocol in {"HTTPS", "TLS"}:
        yield Served(port, protocol, TARGET_DECIDES, evidence)
    elif protocol in _PASSED_ON:
        for over, named, tls in _PASSED_ON[protocol]:
            # A listener that ends TLS passes plain text on, unless the group wraps it again.
            ended = listener.value("Protocol") == "TLS" and tls == TARGET_DECIDES
            yield Served(port, named, NONE if ended else tls, evidence, over)
    else:
        raise group.refuse(f"speaks {protocol} to its targets, which the proof does not know")
    yield from _checked(group, protocol, port)


def _checked(group: Resource, protocol: str, port: int) -> Iterator[Served]:
    """The health check; one that only opens a TCP connection sends nothing and is no hop of its own."""
    by_default = "HTTP" if protocol in {"HTTP", "HTTPS"} else "TCP"
    check = known(group.value("HealthCheckProtocol") or by_default, group, "HealthCheckProtocol")
    if check == "TCP" or not truth(group, "HealthCheckEnabled", default=True):
        return
    at_port = read(group, "HealthCheckPort")
    if at_port is not None and at_port != _TRAFFIC_PORT:
        port = number(at_port, group, "HealthCheckPort")
    yield Served(port, f"health check {check}", NONE if check == "HTTP" else TARGET_DECIDES, (group,))
