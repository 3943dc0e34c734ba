"""Edges of the graph, read back from its facts."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final, NamedTuple

from infra.assurance.facts import Fact
from infra.assurance.second_opinion.rules import LAST_PORT, PROTOCOLS, Block, Rule

_PORTS: Final = re.compile(r"(?P<protocol>[a-z]\w*|protocol \d+|\d+)(?: (?P<low>\d+)(?:-(?P<high>\d+))?)?")
_ADDRESSES: Final = "addresses "
_GROUPS_ONLY: Final = " (groups only)"


class Edge(NamedTuple):
    """Who opens a connection, by the graph; with `block` whoever has an address of it."""

    source: str
    text: str
    ports: tuple[Rule, ...]
    block: Block | None


def read_edge(fact: Fact) -> Edge:
    """A fact of `reaches` as an edge."""
    source, text = fact["from"].removesuffix(_GROUPS_ONLY), fact["ports"]
    block = ip_network(source.removeprefix(_ADDRESSES)) if source.startswith(_ADDRESSES) else None
    return Edge(source, text, tuple(_ports(text)), block)


def _ports(text: str) -> Iterator[Rule]:
    """
    Raises:
        ValueError: the text is not in the form that facts have.
    """
    for part in text.split(", "):
        match = _PORTS.fullmatch(part)
        if match is None:
            raise ValueError(f"an edge has the ports {text}")
        low, high = match["low"] or 0, match["high"] or match["low"] or LAST_PORT
        yield Rule(_number(match["protocol"]), int(low), int(high))


def _number(protocol: str) -> int | None:
    if protocol == "all":
        return None
    return PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol.removeprefix("protocol "))
