"""The solver's part: who reaches a data store, as formulas over who connects, from where, by what and to which port.

For each store z3 is asked for a connection that the groups admit and the graph does not know, and for each edge of the
graph whether the groups admit it. Routes are no part of it: an edge from the internet may rest on groups only.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from infra.assurance.facts import Fact
from infra.assurance.model.model import Model
from infra.assurance.second_opinion.edges import Edge, read_edge
from infra.assurance.second_opinion.parties import ASSIGNED, Parties, Party
from infra.assurance.second_opinion.rules import PROTOCOLS, WITH_PORTS, Group, Rule, Way, read_groups

if TYPE_CHECKING:
    from infra.assurance.second_opinion.formulas import Formula, Formulas

OUTSIDE: Final = "internet"
NEWCOMER: Final = "a new address in the VPC"
_ANY: Final = (*PROTOCOLS.values(), 253)  # 253 is kept free for trials, so that no rule speaks of it but one for all


def disagreements(model: Model, reaches: Sequence[Fact]) -> list[str]:
    """What the solver and the graph (`reaches`) say differently about who reaches the data stores, as sentences.

    Whatever cannot be decided is among the model's refusals.
    """
    # What the graph refused it says nothing about, and the refusal is told already.
    refused = {refused.where for refused in model.refusals}
    parties = [party for party in Parties(model).found() if not refused & {party.resource.name, *party.names}]
    stores = [party for party in parties if party.is_store]
    if not stores:
        return []
    # z3 takes a tenth of a second to load, and an application without a store does without.
    from infra.assurance.second_opinion.formulas import Formulas  # noqa: PLC0415  # loaded when it is asked for

    groups, formulas = read_groups(model), Formulas()
    found: list[str] = []
    for store in stores:
        with model.refusals.collected():
            edges = [read_edge(fact) for fact in reaches if fact["to"] in store.names]
            found.extend(_Store(store, parties, groups, formulas, edges).differences())
    return found


class _Store:
    """One store, and what is asked about it."""

    def __init__(
        self,
        party: Party,
        parties: Sequence[Party],
        groups: Mapping[str, Group],
        formulas: "Formulas",
        edges: Sequence[Edge],
    ) -> None:
        self.party, self.parties, self.groups = party, parties, groups
        self.is_, self.edges = formulas, edges

    def differences(self) -> Iterator[str]:
        with self.is_.assumed(self._admitted()):
            yield from self._unknown_to_the_graph()
            for edge in self.edges:
                yield from self._not_admitted(edge)

    @cached_property
    def _neighbours(self) -> list[Party]:
        """What is in the same VPC: others have no way here, and a peering is refused elsewhere."""
        return [party for party in self.parties if party.vpc == self.party.vpc and party is not self.party]

    @cached_property
    def _strangers(self) -> list[str]:
        """Who else a rule may admit: any address outside or in the VPC, and groups and lists that no template makes."""
        worn = {group for party in self.parties for group in party.groups}
        rules = self._rules(self.party, Way.IN)
        lists = [f"prefix list {rule.prefixes}" for rule in rules if rule.prefixes]
        groups = [f"group {rule.group}" for rule in rules if rule.group not in {*worn, *self.groups, ""}]
        return [OUTSIDE, NEWCOMER, *dict.fromkeys(lists + groups)]

    def _who(self, name: str) -> list[int]:
        """Numbers of whoever has the name; the internet is everybody who has an address."""
        if name == OUTSIDE or name.startswith("addresses "):
            return [len(self._neighbours), len(self._neighbours) + 1]
        named = [number for number, party in enumerate(self._neighbours) if name in party.names]
        if name in self._strangers:
            named.append(len(self._neighbours) + self._strangers.index(name))
        return named

    def _name(self, number: int) -> str:
        first = len(self._neighbours)
        return self._neighbours[number].name if number < first else self._strangers[number - first]

    def _rules(self, party: Party, way: Way) -> list[Rule]:
        for group in party.groups:
            if group not in self.groups:
                raise party.resource.refuse(f"wears the group {group}, whose rules are in no template")
        return list(chain.from_iterable(self.groups[group].rules[way] for group in party.groups))

    def _admitted(self) -> "Formula":
        """A connection that ingress here and egress there admit, from and to addresses the two have.

        For strangers only the groups count, as a subnet gets another family of addresses by one line.
        """
        is_, here = self.is_, self.party
        arrives = is_.some(is_.target_in(block) for block in here.blocks) if here.blocks else is_.true
        neighbours = is_.some(self._from_neighbours(alike) for alike in self._alike())
        outside, *others = range(len(self._neighbours), len(self._neighbours) + len(self._strangers))
        inside = dict.fromkeys([*here.vpc_blocks, *chain(*(party.blocks for party in self._neighbours))])
        inside.pop(ASSIGNED, None)  # others have addresses there, too
        strangers = [is_.every(is_.who(outside), is_.none_of(is_.source_in(block) for block in inside))]
        strangers.extend(is_.who(number) for number in others)
        ingress = is_.some(is_.every(is_.by(rule), self._from(rule)) for rule in self._rules(here, Way.IN))
        return is_.every(ingress, is_.some([is_.every(arrives, is_.same_family, neighbours), *strangers]))

    def _alike(self) -> Iterator[list[int]]:
        """Numbers of neighbours that wear the same and are in the same place: what holds for one holds for all."""
        alike: dict[object, list[int]] = defaultdict(list)
        for number, party in enumerate(self._neighbours):
            alike[party.groups, party.blocks].append(number)
        yield from alike.values()

    def _from_neighbours(self, alike: Sequence[int]) -> "Formula":
        is_, party = self.is_, self._neighbours[alike[0]]
        who = is_.some(is_.who(number) for number in alike)
        starts = is_.some(is_.source_in(block) for block in party.blocks) if party.blocks else is_.true
        if not party.groups:
            return is_.every(who, starts)
        rules = [rule for rule in self._rules(party, Way.OUT) if rule.block or rule.group in self.party.groups]
        egress = (is_.every(is_.by(rule), self._to(rule)) for rule in rules)
        return is_.every(who, starts, is_.some(egress))

    def _from(self, rule: Rule) -> "Formula":
        """The source is on the rule's other side."""
        is_, first_stranger = self.is_, len(self._neighbours)
        if rule.block:
            has_address = is_.some(is_.who(number) for number in range(first_stranger + 2))
            return is_.every(has_address, is_.source_in(rule.block))
        stranger = f"group {rule.group}" if rule.group else f"prefix list {rule.prefixes}"
        members = [number for number, party in enumerate(self._neighbours) if rule.group in party.groups]
        return is_.some(is_.who(number) for number in [*members, *self._who(stranger)])

    def _to(self, rule: Rule) -> "Formula":
        """The store is on the rule's other side. AWS's prefix lists hold addresses of AWS only, none of a VPC."""
        return self.is_.target_in(rule.block) if rule.block else self.is_.true

    def _unknown_to_the_graph(self) -> Iterator[str]:
        is_ = self.is_
        others = [is_.none_of(self._edge(edge) for edge in self.edges)]
        while connection := is_.found(*others):
            ports = _said(connection.protocol, connection.port)
            edge = f"{self._name(connection.who)} reaches {self.party.name} on {ports}"
            yield f"the solver finds that {edge}, the graph does not"
            others.append(is_.none_of([is_.who(connection.who)]))

    def _edge(self, edge: Edge) -> "Formula":
        is_ = self.is_
        who = is_.some(is_.who(number) for number in self._who(edge.source))
        ports = is_.some(is_.by(ports) for ports in edge.ports)
        return is_.every(who, ports, is_.source_in(edge.block) if edge.block else is_.true)

    def _not_admitted(self, edge: Edge) -> Iterator[str]:
        """What an edge admits changes only where a rule begins or ends, so those ports are asked about."""
        is_, edge_ = self.is_, f"{edge.source} reaches {self.party.name} on {edge.text}"
        missing = f"the graph finds that {edge_}, the solver"
        if not self._who(edge.source):
            yield f"{missing} knows no such source in its VPC"
            return
        known = self._edge(edge)
        rules = [rule for party in (self.party, *self._neighbours) for way in Way for rule in self._rules(party, way)]
        for ports in edge.ports:
            for port in _bounds(ports, rules):
                for protocol in [ports.protocol] if ports.protocol is not None else _ANY:
                    if not is_.possible(known, is_.between(protocol, port, port)):
                        yield f"{missing} does not: {_said(protocol, port)} is not admitted"
                        return


def _bounds(ports: Rule, rules: Sequence[Rule]) -> list[int]:
    """Ports that stand for all of a range: its first, and those at which a rule begins or behind which one ends."""
    if ports.protocol is not None and ports.protocol not in WITH_PORTS:
        return [0]
    marks = {ports.low, *(mark for rule in rules for mark in (rule.low, rule.high + 1))}
    return sorted(mark for mark in marks if ports.low <= mark <= ports.high)


def _said(protocol: int, port: int) -> str:
    name = next((name for name, number in PROTOCOLS.items() if number == protocol), f"protocol {protocol}")
    return f"{name} {port}" if protocol in WITH_PORTS else name
