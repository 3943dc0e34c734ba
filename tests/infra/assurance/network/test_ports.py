"""Traffic is what sets of protocols and ports would be."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.network.ports import ALL, EVERYTHING, Traffic, common, merged, text, traffic

examples = settings(max_examples=300, derandomize=True, deadline=None, database=None)
PORTS = range(30)
PROTOCOLS = (6, 17, 50)


def _range(protocol: int, first: int, length: int) -> Traffic:
    return Traffic(protocol, first, min(first + length, 29))


ranges = st.builds(_range, st.sampled_from([6, 17]), st.integers(0, 29), st.integers(0, 12))
some = st.one_of(st.just(EVERYTHING), st.just(Traffic(50)), ranges)


def packets(given_: list[Traffic]) -> set[tuple[int, int]]:
    """Every protocol and port of a small world, one by one; protocol 50 has no ports."""
    world = {(protocol, port) for protocol in PROTOCOLS for port in (PORTS if protocol != 50 else [0])}
    return {
        (protocol, port)
        for protocol, port in world
        for one in given_
        if one.protocol == ALL or (one.protocol == protocol and one.first <= port <= one.last)
    }


@examples
@given(st.lists(some, max_size=4), st.lists(some, max_size=4))
def test_what_both_admit_is_the_intersection(ones: list[Traffic], others: list[Traffic]) -> None:
    assert packets(common(ones, others)) == packets(ones) & packets(others)


@examples
@given(st.lists(some, max_size=6))
def test_merging_changes_nothing_and_leaves_no_two_that_touch(given_: list[Traffic]) -> None:
    left = merged(given_)
    assert packets(left) == packets(given_)
    assert left == sorted(left)
    assert all(one.protocol != other.protocol or one.last + 1 < other.first for one, other in pairwise(left))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (("tcp", 5432, 5432), "tcp 5432"), (("6", "5432", "5432"), "tcp 5432"), ((6, 5432.0, 5432), "tcp 5432"),
        (("TCP", 80, 90), "tcp 80-90"), (("tcp",), "tcp 0-65535"), (("tcp", -1, -1), "tcp 0-65535"),
        (("udp", 53, 53), "udp 53"), (("17", None, None), "udp 0-65535"), (("-1",), "all"), ((-1, 443, 443), "all"),
        (("all",), "all"), (("icmp", -1, -1), "icmp"), (("icmp", 8, -1), "icmp 8"), ((1, 8, 0), "icmp 8"),
        (("icmpv6",), "icmpv6"), ((58, -1, -1), "icmpv6"), (("50", 1, 2), "protocol 50"),
    ],
)  # fmt: skip
def test_protocols_are_read_by_their_meaning(written: tuple[object, ...], said: str) -> None:
    assert text([traffic(*written)]) == said


@pytest.mark.parametrize(
    "written",
    [
        ("tls", 1, 1),
        (256,),
        ("tcp", 90, 80),
        ("tcp", 0, 70000),
        ("tcp", "http", 80),
        (None,),
        ("tcp", [1], 2),
        ("-7",),
        ("tcp", 1.5, 2),
        ("tcp", float("inf"), 2),
    ],
)
def test_what_is_no_traffic_is_an_error(written: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"no (protocol|port|range)|is no port"):
        traffic(*written)


def test_all_of_it_is_said_in_order() -> None:
    given_ = [Traffic(17, 53, 53), Traffic(6, 91, 95), Traffic(6, 80, 90), Traffic(6, 443, 443)]
    assert text(given_) == "tcp 80-95, tcp 443, udp 53"
