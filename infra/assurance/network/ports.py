"""Arithmetic of traffic: protocols, and the ports of those that have ports.

Protocols are IANA's numbers; ranges of ICMP are types: <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

INGRESS: Final = "ingress"
EGRESS: Final = "egress"
"""The two directions of rules."""
ALL: Final = -1
"""The number that stands for every protocol."""
TCP: Final = 6
UDP: Final = 17
_NUMBERS: Final = {"icmp": 1, "tcp": TCP, "udp": UDP, "icmpv6": 58, "all": ALL, "-1": ALL}
_NAMES: Final = {1: "icmp", TCP: "tcp", UDP: "udp", 58: "icmpv6"}
_LAST: Final = {1: 255, TCP: 65535, UDP: 65535, 58: 255}
_LAST_PROTOCOL: Final = 255


class Traffic(NamedTuple):
    """A protocol and a range of its ports (of ICMP: types). Of protocols without ports, and of all, 0 to 0."""

    protocol: int
    first: int = 0
    last: int = 0


EVERYTHING: Final = Traffic(ALL)
"""Every protocol, every port."""


def traffic(protocol: object, first: object = None, last: object = None) -> Traffic:
    """What `IpProtocol`, `FromPort` and `ToPort` of a rule admit; a missing bound, or -1, is no bound.

    For protocols other than TCP, UDP and ICMP every port is admitted whatever the rule says.

    Raises:
        ValueError: there is no such protocol or port.
    """
    number = _protocol(protocol)
    if number not in _LAST:
        return Traffic(number)
    widest = _LAST[number]
    low, high = _bound(first, 0), _bound(last, widest)
    if number not in (TCP, UDP):
        # `FromPort` is the type, `ToPort` the code: a rule for one code of a type counts for the whole type.
        high = widest if _bound(first, ALL) == ALL else low
    if not 0 <= low <= high <= widest:
        raise ValueError(f"{_NAMES[number]} has no range from {first} to {last}")
    return Traffic(number, low, high)


def common(ones: Iterable[Traffic], others: Iterable[Traffic]) -> list[Traffic]:
    """What both admit, merged and sorted."""
    others = tuple(others)
    return merged(both for one in ones for other in others if (both := _both(one, other)))


def merged(given: Iterable[Traffic]) -> list[Traffic]:
    """The same traffic in as few ranges as it takes, sorted."""
    ranges: dict[int, list[Traffic]] = defaultdict(list)
    for one in given:
        ranges[one.protocol].append(one)
    if ALL in ranges:
        return [EVERYTHING]
    return [joined for protocol in sorted(ranges) for joined in _joined(sorted(ranges[protocol]))]


def text(given: Iterable[Traffic]) -> str:
    """As people say it: `tcp 443`, `tcp 80-90, udp 53`, `icmp`, `protocol 50`, `all`."""
    return ", ".join(_said(one) for one in merged(given))


def _protocol(given: object) -> int:
    name = str(given).strip().lower()
    number = _NUMBERS.get(name)
    if number is None and name.isdecimal():
        number = int(name)
    if number is None:
        raise ValueError(f"there is no protocol {given}")
    if not ALL <= number <= _LAST_PROTOCOL:
        raise ValueError(f"there is no protocol {given}")
    return number


def _bound(given: object, default: int) -> int:
    if given is None or given == "":
        return default
    try:
        number = int(str(given).removesuffix(".0"))
    except ValueError:
        raise ValueError(f"{given!r} is no port") from None
    return default if number == ALL else number


def _both(one: Traffic, other: Traffic) -> Traffic | None:
    if one.protocol == ALL:
        return other
    if other.protocol == ALL:
        return one
    first, last = max(one.first, other.first), min(one.last, other.last)
    return Traffic(one.protocol, first, last) if one.protocol == other.protocol and first <= last else None


def _joined(ranges: list[Traffic]) -> list[Traffic]:
    joined: list[Traffic] = []
    for one in ranges:
        if joined and one.first <= joined[-1].last + 1:
            joined[-1] = Traffic(one.protocol, joined[-1].first, max(joined[-1].last, one.last))
        else:
            joined.append(one)
    return joined


def _said(one: Traffic) -> str:
    if one.protocol == ALL:
        return "all"
    name = _NAMES.get(one.protocol, f"protocol {one.protocol}")
    if one.protocol not in _LAST:
        return name
    if one.protocol not in (TCP, UDP) and (one.first, one.last) == (0, _LAST[one.protocol]):
        return name
    return f"{name} {one.first}" if one.first == one.last else f"{name} {one.first}-{one.last}"
