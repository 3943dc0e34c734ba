"""Ranges are what sets of addresses would be."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.network.addresses import (
    IPV4,
    NOWHERE,
    PUBLIC,
    Addresses,
    addresses,
    everything,
    is_nobodys_own,
    overlap,
    without,
)

examples = settings(max_examples=200, derandomize=True, deadline=None, database=None)
WIDTH = 64


def _range(family: int, first: int, length: int) -> Addresses:
    return Addresses(family, first, min(first + length, WIDTH))


small = st.builds(_range, st.sampled_from([4, 6]), st.integers(0, WIDTH), st.integers(0, 20))


def members(ranges: list[Addresses]) -> set[tuple[int, int]]:
    """Every address, one by one."""
    return {(one.family, number) for one in ranges for number in range(one.first, one.last + 1)}


@examples
@given(small, small)
def test_two_ranges_relate_as_their_addresses_do(one: Addresses, other: Addresses) -> None:
    assert one.overlaps(other) == bool(members([one]) & members([other]))
    assert one.covers(other) == (members([one]) >= members([other]))


@examples
@given(st.lists(small, max_size=4), st.lists(small, max_size=4))
def test_what_is_common_and_what_remains_are_the_sets(ones: list[Addresses], others: list[Addresses]) -> None:
    assert members(overlap(ones, others)) == members(ones) & members(others)
    assert members(without(ones, others)) == members(ones) - members(others)


@examples
@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_block_is_what_the_standard_library_says(number: int, prefix: int) -> None:
    text = f"{ipaddress.IPv4Address(number)}/{prefix}"
    network = ipaddress.ip_network(text, strict=False)
    assert addresses(text) == Addresses(4, int(network[0]), int(network[-1]))


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True), ("52.94.0.0", True), ("2600:1f18::1", True), ("11.0.0.0", True), ("172.32.0.0", True),
        ("64:ff9b::808:808", True), ("10.9.8.7", False), ("172.31.255.255", False), ("192.168.1.1", False),
        ("100.64.1.1", False), ("169.254.171.3", False), ("127.0.0.1", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("fd00:ec2::253", False), ("fe80::1", False), ("::1", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_the_internet_is_what_routers_carry(address: str, *, is_public: bool) -> None:
    assert any(addresses(address).overlaps(block) for block in PUBLIC) == is_public


def test_public_addresses_are_nowhere_else() -> None:
    assert not overlap(PUBLIC, NOWHERE)
    assert addresses("0.0.0.0/0") == everything(IPV4)


@pytest.mark.parametrize(
    ("block", "expected"),
    [("0.0.0.0/0", True), ("0.0.0.0/1", True), ("128.0.0.0/7", True), ("52.0.0.0/8", False), ("::/0", True),
     ("2000::/3", True), ("2600::/12", False), ("203.0.113.0/24", False)],
)  # fmt: skip
def test_a_range_wider_than_anybody_holds_is_the_world(block: str, *, expected: bool) -> None:
    assert is_nobodys_own(addresses(block)) == expected


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.0/33", "vpc", "::/129", "DefaultCidr.x"])
def test_what_is_no_range_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|not permitted"):
        addresses(text)
