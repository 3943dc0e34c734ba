"""What security groups admit between two sides, by the rules of both."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.addresses import IPV6, NOWHERE, Addresses, everything, without
from infra.assurance.network.groups import Group, Rule
from infra.assurance.network.groups import groups as read_groups
from infra.assurance.network.interfaces import Interface, resources_interfaces
from infra.assurance.network.places import GLOBAL_UNICAST, Places, Subnet, places
from infra.assurance.network.ports import EGRESS, INGRESS, Traffic, common, text
from infra.assurance.network.tasks import tasks
from infra.assurance.refusal import Refused


class Network(NamedTuple):
    """All that decides who reaches whom: a model's places, groups by id, and interfaces."""

    model: Model
    places: Places
    groups: Mapping[str, Group]
    interfaces: tuple[Interface, ...]

    @classmethod
    def of(cls, model: Model) -> "Network":
        """Read it from a model; what cannot be read is among the model's refusals."""
        where = places(model)
        found = (*resources_interfaces(model, where), *tasks(model, where))
        known = read_groups(model, where)
        for side in found:
            for id_ in side.groups or ():
                if id_ not in known or known[id_].resource is None:
                    model.refusals.add(side.resource.refuse(f"wears the group {id_}, whose rules no template has"))
        return cls(model, where, known, found)

    def rules(self, side: Interface, direction: str) -> Iterator[tuple[Group, Rule]]:
        """The rules of one direction of all groups that an interface wears."""
        for id_ in side.groups or ():
            if group := self.groups.get(id_):
                for rule in group.rules[direction]:
                    yield group, rule

    def holds(self, subnet: Subnet, block: Addresses) -> bool:
        """Whether a range has addresses that an interface in the subnet may have; in doubt it is refused, and yes."""
        if any(block.overlaps(known) for known in subnet.blocks):
            return True
        if block.family not in subnet.unknown or not without([block], NOWHERE):
            return False
        if block.covers(everything(block.family)):
            return True
        if block.family == IPV6 and subnet.resource:
            if block.covers(GLOBAL_UNICAST):
                return True
            if not block.overlaps(GLOBAL_UNICAST):
                return False
        what = "has addresses that no template tells, and rules speak of ranges of them"
        refused = subnet.resource.refuse(what) if subnet.resource else Refused(what, where=f"subnet {subnet.id}")
        self.model.refusals.add(refused)
        return True


class Admitted(NamedTuple):
    """Traffic that one rule of one side admits; without a rule, the side has no groups and admits everything."""

    traffic: Traffic
    group: Group | None = None
    rule: Rule | None = None

    @property
    def evidence(self) -> tuple[Resource, ...]:
        """The resource that says so."""
        return (self.rule.resource,) if self.rule else ()

    def sentence(self, side: Interface, direction: str) -> str:
        """As a step of a path."""
        if self.group is None or self.rule is None:
            return f"{side.name} has no security group: its {direction} admits {text([self.traffic])}"
        word = "to" if direction == EGRESS else "from"
        return (
            f"{direction} of {self.group.name}, worn by {side.name}, admits {text([self.traffic])} {word} {self.rule}"
        )


class Match(NamedTuple):
    """Traffic that the rules of both sides admit, and the two rules that show it."""

    traffic: Traffic
    out: Admitted
    into: Admitted


def between(network: Network, source: Interface, target: Interface) -> list[Match]:
    """What the source may send and the target takes, over an address family that both have."""
    found: list[Match] = []
    for family in sorted(source.families & target.families):
        if out := list(toward(network, source, EGRESS, target, family)):
            found += matches(out, toward(network, target, INGRESS, source, family))
    return found


def matches(out: Iterable[Admitted], into: Iterable[Admitted]) -> list[Match]:
    """The pairs that have traffic in common."""
    into = tuple(into)
    return [
        Match(traffic, one, other)
        for one in out
        for other in into
        for traffic in common([one.traffic], [other.traffic])
    ]


def toward(network: Network, side: Interface, direction: str, peer: Interface, family: int) -> Iterator[Admitted]:
    """What the rules of a side's groups, in one direction, admit of a peer's addresses of one family."""
    if side.groups is None:
        yield from (Admitted(one) for one in side.without_groups[direction])
    for group, rule in network.rules(side, direction):
        if _means(network, rule, peer, family):
            yield Admitted(rule.traffic, group, rule)


def _means(network: Network, rule: Rule, peer: Interface, family: int) -> bool:
    if rule.group is not None:
        return peer.groups is not None and rule.group in peer.groups
    if rule.block is None or rule.block.family != family:
        return False
    return any(network.holds(subnet, rule.block) for subnet in peer.subnets)
