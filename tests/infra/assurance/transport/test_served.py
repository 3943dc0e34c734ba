"""Ports of edges, by their meaning."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.transport.served import Served

ports = st.integers(0, 65535)


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(["tcp", "udp"]), ports, ports, ports, st.sampled_from(["tcp", "udp"]))
def test_a_port_is_met_by_a_range_that_holds_it(over: str, one: int, other: int, port: int, served: str) -> None:
    low, high = sorted((one, other))
    expected = over == served and port in {*range(low, high + 1)}
    assert Served(port, "any", "any", over=served).is_met(f"{over} {low}-{high}") == expected
    assert Served(None, "any", "any", over=served).is_met(f"{over} {low}-{high}") == (over == served)


def test_other_ways_to_write_ports() -> None:
    web = Served(443, "HTTPS", "TLSv1.2")
    assert web.is_met("all")
    assert web.is_met("tcp 80, tcp 443")
    assert not web.is_met("icmp")
    assert not web.is_met("tcp 44")
