"""Types whose interface depends on what they are used as."""

from collections.abc import Callable, Mapping
from typing import Final

from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.kinds import Kind
from infra.assurance.network.ports import Traffic, traffic

# What the listeners of network load balancers carry, by their protocol.
_CARRIED: Final = {"TCP": ("tcp",), "TLS": ("tcp",), "UDP": ("udp",), "TCP_UDP": ("tcp", "udp"), "QUIC": ("udp",),
                   "TCP_QUIC": ("tcp", "udp")}  # fmt: skip


def _load_balancer(resource: Resource, kind: Kind) -> Kind:
    """Without groups, a network load balancer lets everything through.

    <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html>
    """
    if resource.value("Type") == "gateway":
        raise resource.refuse("hands traffic on to appliances: a gateway load balancer is not modelled")
    return kind._replace(open_without_groups=resource.value("Type") == "network")


def listening(model: Model, balancer: Resource) -> tuple[Traffic, ...]:
    """Where a network load balancer listens: what comes to other ports goes nowhere."""
    found: list[Traffic] = []
    for listener in model.of_type("AWS::ElasticLoadBalancingV2::Listener"):
        if model.find(listener.value("LoadBalancerArn"), balancer.type) is balancer:
            port = listener.value("Port")
            try:
                found += [traffic(one, port, port) for one in _CARRIED.get(str(listener.value("Protocol")), ())]
            except ValueError as error:
                raise listener.refuse(f"listens to no known traffic: {error}") from error
    return tuple(found)


def _endpoint(resource: Resource, kind: Kind) -> Kind:
    type_ = resource.value("VpcEndpointType")
    if type_ not in (None, "Gateway", "Interface"):
        raise resource.refuse(f"is a VPC endpoint of the type {type_}, which is not modelled")
    if type_ == "Interface":
        return kind._replace(optional=False)
    return kind._replace(groups=(), subnets=())


SPECIAL: Final[Mapping[str, Callable[[Resource, Kind], Kind]]] = {
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
}
"""By type: what kind of interface a resource has, once it is looked at."""
