"""Arithmetic of address ranges, IPv4 and IPv6.

Ranges are numbers, not prefixes: what remains of a range without another is seldom a prefix.
"""

import ipaddress
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

IPV4: Final = 4
IPV6: Final = 6
_BITS: Final = {IPV4: 32, IPV6: 128}


class Addresses(NamedTuple):
    """Addresses of one family from `first` to `last`, both included."""

    family: int
    first: int
    last: int

    def overlaps(self, other: "Addresses") -> bool:
        """Whether they have an address in common."""
        return self.family == other.family and self.first <= other.last and other.first <= self.last

    def covers(self, other: "Addresses") -> bool:
        """Whether every address of the other is one of these."""
        return self.family == other.family and self.first <= other.first and other.last <= self.last


@cache
def addresses(block: str) -> Addresses:
    """The range of a CIDR block, or of an address by itself; bits behind the prefix do not count.

    Raises:
        ValueError: it is no address and no block.
    """
    network = ipaddress.ip_network(block.strip(), strict=False)
    return Addresses(network.version, int(network.network_address), int(network.broadcast_address))


def everything(family: int) -> Addresses:
    """All addresses of a family."""
    return Addresses(family, 0, 2 ** _BITS[family] - 1)


def overlap(ranges: Iterable[Addresses], others: Iterable[Addresses]) -> list[Addresses]:
    """What the ranges and the others have in common."""
    others = tuple(others)
    return [
        Addresses(one.family, max(one.first, other.first), min(one.last, other.last))
        for one in ranges
        for other in others
        if one.overlaps(other)
    ]


def without(ranges: Iterable[Addresses], others: Iterable[Addresses]) -> list[Addresses]:
    """What remains of the ranges when the others are taken away."""
    left = list(ranges)
    for other in others:
        left = [piece for one in left for piece in _cut(one, other)]
    return left


def is_nobodys_own(block: Addresses) -> bool:
    """Whether a range is wider than what one holder can have: then it means the world, not somebody's network.

    IANA hands out IPv4 by /8 and IPv6 by /12, to registries that give each holder a part of it.
    <https://www.iana.org/assignments/ipv4-address-space>, <https://www.iana.org/assignments/ipv6-unicast-address-assignments>
    """
    widest = {IPV4: 2**24, IPV6: 2**116}
    return block.last - block.first + 1 > widest[block.family]


def _cut(one: Addresses, other: Addresses) -> list[Addresses]:
    if not one.overlaps(other):
        return [one]
    pieces: list[Addresses] = []
    if one.first < other.first:
        pieces.append(Addresses(one.family, one.first, other.first - 1))
    if other.last < one.last:
        pieces.append(Addresses(one.family, other.last + 1, one.last))
    return pieces


# What does not travel between networks, or not as the source or destination of a connection.
# <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>
_NOBODY: Final = tuple(
    addresses(block) for block in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/128", "::1/128", "ff00::/8")
)
_LINK: Final = tuple(addresses(block) for block in ("169.254.0.0/16", "fe80::/10"))
_PRIVATE: Final = tuple(
    addresses(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
NOWHERE: Final = (*_NOBODY, *_LINK)
"""Ranges in which no other network is: loopback, multicast, reserved, this link."""
PUBLIC: Final = tuple(without((everything(IPV4), everything(IPV6)), (*NOWHERE, *_PRIVATE)))
"""What routers of the internet carry."""
