"""What reaches an interface from outside its VPC, and what it reaches there: the internet, ranges, prefix lists.

Groups may admit what no route carries. That is said apart, since a route is one line away: `internet (groups only)`.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final, NamedTuple

from infra.assurance.model.resource import Resource
from infra.assurance.network.addresses import (
    IPV6,
    NOWHERE,
    PUBLIC,
    Addresses,
    everything,
    is_nobodys_own,
    overlap,
    without,
)
from infra.assurance.network.admission import Admitted, Network
from infra.assurance.network.interfaces import Interface
from infra.assurance.network.places import EGRESS_ONLY, INTERNET_GATEWAY, TRANSLATION, Way
from infra.assurance.network.ports import EGRESS, INGRESS

INTERNET: Final = "internet"
GROUPS_ONLY: Final = " (groups only)"


class Outer(NamedTuple):
    """One connection between an interface and a node outside, in the direction of a rule."""

    node: str
    direction: str
    side: Interface
    admitted: Admitted
    way: Way | None = None
    is_endpoint: bool = False

    @property
    def evidence(self) -> tuple[Resource, ...]:
        """What makes it true."""
        return (*self.admitted.evidence, *((self.way.resource,) if self.way else ()), self.side.resource)

    @property
    def path(self) -> tuple[str, ...]:
        """The steps."""
        if self.is_endpoint:
            return (f"{self.side.name} has an endpoint on the internet, beside all security groups",)
        rule = self.admitted.sentence(self.side, self.direction)
        return (rule, f"{self.way.resource.name} leads by {self.way.by}") if self.way else (rule,)


def outside(network: Network, side: Interface) -> Iterator[Outer]:
    """Every connection of an interface with what is outside its VPC."""
    if side.endpoint:
        yield Outer(INTERNET, INGRESS, side, Admitted(side.endpoint), is_endpoint=True)
    for direction, wanted in ((INGRESS, side.accepts), (EGRESS, side.initiates)):
        if not wanted or not side.subnets:
            continue
        if side.groups is None:
            for family, traffic in product(sorted(side.families), side.without_groups[direction]):
                admitted = Admitted(traffic)
                yield from _ranges(network, side, direction, admitted, block=everything(family), written="")
        for group, rule in network.rules(side, direction):
            admitted = Admitted(rule.traffic, group, rule)
            if rule.prefix_list or (rule.group and rule.group not in network.groups):
                yield Outer(str(rule), direction, side, admitted)
            elif rule.block:
                yield from _ranges(network, side, direction, admitted, block=rule.block, written=str(rule))


def gateway_endpoints(network: Network, side: Interface) -> Iterator[tuple[Resource, Admitted]]:
    """The gateway endpoints that the routes of an interface lead to, where a range of public addresses is admitted.

    A rule for a prefix list names whom it admits by itself; for a range, what answers is the endpoint.
    """
    endpoints = dict.fromkeys(endpoint for subnet in side.subnets for endpoint in subnet.gateway_endpoints)
    if not endpoints or not side.initiates:
        return
    for group, rule in network.rules(side, EGRESS):
        if rule.block and is_nobodys_own(rule.block) and overlap([rule.block], PUBLIC):
            for endpoint in endpoints:
                yield endpoint, Admitted(rule.traffic, group, rule)


def _ranges(
    network: Network, side: Interface, direction: str, admitted: Admitted, *, block: Addresses, written: str
) -> Iterator[Outer]:
    vpc = network.places.vpcs.get(side.vpc or "")
    beyond = without([block], (*NOWHERE, *(vpc.blocks if vpc else ())))
    if not beyond:
        if direction == INGRESS and written and without([block], NOWHERE):
            # Whoever gets an address of the range, whether or not an interface of the templates has one.
            yield Outer(f"addresses {written}{GROUPS_ONLY}", direction, side, admitted)
        return
    public = overlap(beyond, PUBLIC)
    node = INTERNET if public and is_nobodys_own(block) else f"addresses {written}"
    way = _way(side, direction, public) if block.family in side.families else None
    if way is None and any(subnet.resource is None for subnet in side.subnets) and public:
        network.model.refusals.add(side.resource.refuse("is in a subnet whose routes no template describes"))
        yield Outer(node, direction, side, admitted)
        return
    yield Outer(node if way else node + GROUPS_ONLY, direction, side, admitted, way)


def _way(side: Interface, direction: str, public: Iterable[Addresses]) -> Way | None:
    public = tuple(public)
    ways = (way for subnet in side.subnets for way in subnet.ways if overlap([way.destination], public))
    return next((way for way in ways if _carries(way, side, direction)), None)


def _carries(way: Way, side: Interface, direction: str) -> bool:
    """Whether connections go that way: in only by an internet gateway to a public address, out by all three.

    <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html>
    """
    if way.by != INTERNET_GATEWAY:
        return direction == EGRESS and way.by in (TRANSLATION, EGRESS_ONLY)
    if way.destination.family == IPV6:
        return direction == EGRESS or side.public or side.ipv6_is_public
    return side.public
