"""What every edge of the network speaks, and from which version of TLS on."""

from collections.abc import Iterator, Sequence

from infra.assurance.facts import Fact, Relation, distinct
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport import classic, edge_services, lattice, load_balancers
from infra.assurance.transport.served import Served, decided_by_target
from infra.assurance.transport.servers import PROGRAMS, SERVERS, served
from infra.assurance.transport.tls import UNKNOWN


def hops(model: Model, reaches: Sequence[Fact]) -> list[Fact]:
    """A fact for each thing that answers on each edge into something modelled, and for services at Amazon's edge.

    On an edge that leads to no known listener, what answers is unknown, and the fact says so. Edges out of the
    application (to the internet, a prefix list, addresses) end at servers that no template describes: no hop.
    What cannot be modelled is in `model.refusals`.
    """
    reader = _Reader(model)
    found: list[Fact] = []
    for edge in reaches:
        for target in reader.named.get(edge["to"], ()):
            found += reader.hop(edge, target)
    found += edge_services.hops(model)
    return distinct(found)


class _Reader:
    """Answers what a resource serves; each is looked at once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.named: dict[str, list[Resource]] = {}
        self._served: dict[Resource, list[Served] | None] = {}
        self._sent: dict[tuple[Resource, Resource], list[Served] | None] = {}
        for resource in self.model.resources:
            self.named.setdefault(resource.name, []).append(resource)

    def hop(self, edge: Fact, target: Resource) -> Iterator[Fact]:
        answers = self._answers(edge, target)
        if answers is None:
            return  # refused
        met = [answer for answer in answers if answer.is_met(edge["ports"])]
        for answer in met:
            yield _fact(edge, answer.protocol, answer.tls, (*answer.evidence, target))
        if not met:
            yield _fact(edge, f"unknown service on {edge['ports']}", UNKNOWN, (*edge.evidence, target))

    def _answers(self, edge: Fact, target: Resource) -> list[Served] | None:
        if target.type in SERVERS:
            return self._of_server(target)
        for source in self.named.get(edge["from"], ()):
            if source.type in _SENDERS:
                return self._of_sender(source, target)
        return [decided_by_target(target)] if target.type in PROGRAMS else []

    def _of_server(self, target: Resource) -> list[Served] | None:
        if target not in self._served:
            self._served[target] = None
            with self.model.refusals.collected():
                self._served[target] = served(self.model, target)
        return self._served[target]

    def _of_sender(self, source: Resource, target: Resource) -> list[Served] | None:
        key = (source, target)
        if key not in self._sent:
            self._sent[key] = None
            with self.model.refusals.collected():
                self._sent[key] = _sent(self.model, source, target)
        return self._sent[key]


_SENDERS = frozenset({load_balancers.LOAD_BALANCER, classic.CLASSIC, lattice.SERVICE})


def _sent(model: Model, source: Resource, target: Resource) -> list[Served]:
    if source.type == lattice.SERVICE:
        return list(lattice.sent(model, source, target))
    if source.type == classic.CLASSIC:
        return list(classic.sent(source))
    return load_balancers.sent(model, source, target)


def _fact(edge: Fact, protocol: str, tls: str, evidence: tuple[Resource, ...]) -> Fact:
    path = (*edge.path, f"answered by {protocol}, TLS: {tls}")
    return Fact(Relation.HOP, (edge["from"], edge["to"], protocol, tls), tuple(dict.fromkeys(evidence)), path)
