"""Classic load balancers: what they accept, and how they speak to their instances.

<https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-listener-config.html>
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.model.assembly import Json
from infra.assurance.model.resource import Resource
from infra.assurance.transport.served import Served
from infra.assurance.transport.tls import (
    ELASTIC_LOAD_BALANCING,
    ELASTIC_LOAD_BALANCING_DEFAULT,
    NONE,
    TARGET_DECIDES,
    lowest,
    of_policy,
    version,
)
from infra.assurance.transport.values import as_truth, known, number, tables, texts

CLASSIC: Final = "AWS::ElasticLoadBalancing::LoadBalancer"
_ENCRYPTED: Final = {"HTTPS": "HTTPS", "SSL": "TLS"}


def accepted(balancer: Resource) -> Iterator[Served]:
    """What it answers on each of its ports.

    Raises:
        Refused: a policy of a listener has no model.
    """
    for listener in tables(balancer.value("Listeners")):
        port = number(listener.get("LoadBalancerPort"), balancer, "LoadBalancerPort")
        protocol = known(listener.get("Protocol"), balancer, "Protocol").upper()
        if protocol in _ENCRYPTED:
            yield Served(port, _ENCRYPTED[protocol], _version(balancer, listener), (balancer,))
        else:
            yield Served(port, protocol, NONE if protocol == "HTTP" else TARGET_DECIDES, (balancer,))


def sent(balancer: Resource) -> Iterator[Served]:
    """How it speaks to its instances."""
    for listener in tables(balancer.value("Listeners")):
        port = number(listener.get("InstancePort"), balancer, "InstancePort")
        accepted_as = known(listener.get("Protocol"), balancer, "Protocol").upper()
        protocol = known(listener.get("InstanceProtocol") or accepted_as, balancer, "InstanceProtocol").upper()
        plain = protocol == "HTTP" or (protocol == "TCP" and accepted_as in _ENCRYPTED)
        yield Served(port, _ENCRYPTED.get(protocol, protocol), NONE if plain else TARGET_DECIDES, (balancer,))


def _version(balancer: Resource, listener: dict[str, Json]) -> str:
    names = texts(listener.get("PolicyNames"))
    for policy in tables(balancer.value("Policies")):
        if policy.get("PolicyName") in names and policy.get("PolicyType") == "SSLNegotiationPolicyType":
            return _of_attributes(balancer, tables(policy.get("Attributes")))
    predefined = [name for name in names if name.startswith("ELBSecurityPolicy-")] or [ELASTIC_LOAD_BALANCING_DEFAULT]
    return lowest(of_policy(name, ELASTIC_LOAD_BALANCING, balancer) for name in predefined)


def _of_attributes(balancer: Resource, attributes: list[dict[str, Json]]) -> str:
    protocols: list[str] = []
    for attribute in attributes:
        name, value = str(attribute.get("Name")), attribute.get("Value")
        if name == "Reference-Security-Policy":
            return of_policy(known(value, balancer, name), ELASTIC_LOAD_BALANCING, balancer)
        if name.startswith("Protocol-") and as_truth(value, balancer, name):
            protocols.append(version(name.removeprefix("Protocol-"), balancer))
    if not protocols:
        raise balancer.refuse("has a policy of its own that names no protocol")
    return lowest(protocols)
