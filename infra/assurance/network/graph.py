"""Who reaches whom: the graph of everything that can open a connection to something else."""

from collections import defaultdict
from collections.abc import Iterator

from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.admission import Match, Network, between
from infra.assurance.network.interfaces import Interface
from infra.assurance.network.lattice import calls
from infra.assurance.network.links import links
from infra.assurance.network.mermaid import mermaid
from infra.assurance.network.outside import GROUPS_ONLY, gateway_endpoints, outside
from infra.assurance.network.ports import EGRESS, INGRESS, Traffic, merged, text
from infra.assurance.network.unmodelled import refuse_unmodelled

__all__ = ["mermaid", "reachability"]


class _Edge:
    """What goes from one node to another, and the first chain of steps that shows it."""

    def __init__(self) -> None:
        self.traffic: list[Traffic] = []
        self.evidence: dict[Resource, None] = {}
        self.path: tuple[str, ...] = ()

    def add(self, traffic: Traffic, evidence: tuple[Resource, ...], path: tuple[str, ...]) -> None:
        self.traffic.append(traffic)
        self.evidence.update(dict.fromkeys(evidence))
        self.path = self.path or path


def reachability(model: Model) -> list[Fact]:
    """The facts of `reaches`: every pair of nodes of which the first can open a connection to the second.

    Nodes are interfaces, VPC Lattice services, gateway endpoints, the internet, prefix lists, and address ranges and
    groups that are not of the templates. An edge needs a rule of both sides, where both are in the templates. What
    has several interfaces, or runs several times, is one node, and what it does to itself is not asked.
    """
    network = Network.of(model)
    refuse_unmodelled(network)
    edges: dict[tuple[str, str], _Edge] = defaultdict(_Edge)
    _add_inner(network, edges)
    for side in network.interfaces:
        with model.refusals.collected():
            for outer in outside(network, side):
                ends = (side.name, outer.node) if outer.direction == EGRESS else (outer.node, side.name)
                edges[ends].add(outer.admitted.traffic, outer.evidence, outer.path)
            for endpoint, admitted in gateway_endpoints(network, side):
                path = (admitted.sentence(side, EGRESS), f"routes lead to {endpoint.name}")
                edges[side.name, endpoint.name].add(
                    admitted.traffic, (*admitted.evidence, endpoint, side.resource), path
                )
    for link, side, traffic in links(network):
        for one in traffic:
            edges[link.name, side.name].add(one, (link, side.resource), (f"{link.name} leads to {side.name}",))
    for call in calls(network):
        edges[call.source, call.target].add(call.traffic, call.evidence, call.path)
    _drop_repeated(edges)
    return [
        Fact(Relation.REACHES, (source, target, text(edge.traffic)), tuple(edge.evidence), edge.path)
        for (source, target), edge in edges.items()
    ]


def _add_inner(network: Network, edges: dict[tuple[str, str], _Edge]) -> None:
    """Edges between interfaces; those with the same groups and subnets have the same rules, which are asked once."""
    alike: dict[tuple[object, ...], list[Interface]] = defaultdict(list)
    for side in network.interfaces:
        if side.subnets:
            alike[side.vpc, side.groups, frozenset(side.subnets), side.accepts, side.initiates].append(side)
    for sources, targets in _neighbours(list(alike.values())):
        found = between(network, sources[0], targets[0])
        for source in sources if found else ():
            for target in targets:
                if source.name != target.name:
                    _add_matches(edges[source.name, target.name], found, source, target)


def _neighbours(alike: list[list[Interface]]) -> Iterator[tuple[list[Interface], list[Interface]]]:
    """Pairs whose packets meet: of one VPC, or of which no template tells the VPC, in one account and region."""
    for sources in alike:
        for targets in alike:
            one, other = sources[0], targets[0]
            if not (one.initiates and other.accepts):
                continue
            here, there = one.resource.stack, other.resource.stack
            if one.vpc == other.vpc and (one.vpc or (here.account, here.region) == (there.account, there.region)):
                yield sources, targets


def _add_matches(edge: _Edge, found: list[Match], source: Interface, target: Interface) -> None:
    for match in found:
        evidence = (*match.out.evidence, *match.into.evidence, source.resource, target.resource)
        path = (match.out.sentence(source, EGRESS), match.into.sentence(target, INGRESS))
        edge.add(match.traffic, evidence, path)


def _drop_repeated(edges: dict[tuple[str, str], _Edge]) -> None:
    """What groups admit and no route carries says nothing where the same traffic is carried."""
    for source, target in [ends for ends in edges if ends[0].endswith(GROUPS_ONLY) or ends[1].endswith(GROUPS_ONLY)]:
        carried = edges.get((source.removesuffix(GROUPS_ONLY), target.removesuffix(GROUPS_ONLY)))
        if carried and merged([*carried.traffic, *edges[source, target].traffic]) == merged(carried.traffic):
            del edges[source, target]
