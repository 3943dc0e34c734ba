"""The internet is reached, and reaches, where groups admit it and a route carries it; both are said apart."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.network.templates import VPC, Resources, graph, group, interface, node, route, rule, subnet

X = node("X")
WORLD = rule("tcp", 22, CidrIp="0.0.0.0/0")
WORLD_6 = rule("tcp", 22, CidrIpv6="::/0")
BLOCK_6 = "2600:1f18:1:1::/64"


def address(name: str = "X") -> Resources:
    """An elastic address of an interface."""
    properties = {"AllocationId": "eipalloc-1", "NetworkInterfaceId": {"Ref": name}}
    return {f"{name}Address": {"Type": "AWS::EC2::EIPAssociation", "Properties": properties}}


def one(ingress: Any = (), egress: Any = None, *more: Resources, **properties: Any) -> Resources:
    """An interface in a subnet."""
    resources = VPC | subnet("Here", **properties) | group("Group", ingress, egress) | interface("X", "Here", "Group")
    for addition in more:
        resources |= addition
    return resources


@pytest.mark.parametrize(
    ("resources", "source"),
    [
        (one([WORLD], None, route("Here"), address()), "internet"),
        (one([WORLD], None, route("Here", "52.0.0.0/8"), address()), "internet"),
        (one([rule("tcp", 22, CidrIp="128.0.0.0/1")], None, route("Here"), address()), "internet"),
        (one([rule("tcp", 22, CidrIp="203.0.113.0/24")], None, route("Here"), address()), "addresses 203.0.113.0/24"),
        (one([WORLD], None, route("Here")), "internet (groups only)"),
        (one([WORLD], None, address()), "internet (groups only)"),
        (one([WORLD], None, route("Here", NatGatewayId="nat-1"), address()), "internet (groups only)"),
        (one([WORLD], None, route("Here", "10.0.0.0/8"), address()), "internet (groups only)"),
        (one([rule("tcp", 22, CidrIp="8.8.8.8/32")]), "addresses 8.8.8.8/32 (groups only)"),
        (one([rule("tcp", 22, CidrIp="10.0.0.0/8")]), "addresses 10.0.0.0/8 (groups only)"),
        (one([rule("tcp", 22, CidrIp="192.168.7.0/24")]), "addresses 192.168.7.0/24 (groups only)"),
        (one([WORLD_6], None, route("Here", "::/0"), Ipv6CidrBlock=BLOCK_6), "internet"),
        (one([WORLD_6], None, route("Here"), address()), "internet (groups only)"),
        (one([WORLD_6], None, route("Here", "::/0"), address()), "internet (groups only)"),
        (one([WORLD, WORLD_6], None, route("Here"), address()), "internet"),  # the same traffic is said once
        (one([WORLD_6], None, route("Here", "::/0", EgressOnlyInternetGatewayId="e"), Ipv6CidrBlock=BLOCK_6),
         "internet (groups only)"),
        (one([rule("-1", CidrIpv6="fd00::/8")], Ipv6CidrBlock=BLOCK_6), "addresses fd00::/8 (groups only)"),
        (one([rule("tcp", 22, CidrIp="10.1.0.0/16")]), "addresses 10.1.0.0/16 (groups only)"),
        (one([rule("tcp", 22, CidrIp="127.0.0.1/32"), rule("tcp", 22, CidrIp="255.255.255.255/32")]), None),
    ],
)  # fmt: skip
def test_what_comes_in(tmp_path: Path, resources: Resources, source: str | None) -> None:
    shown = graph(tmp_path, resources)
    assert [pair[0] for pair in shown.edges if pair[1] == X] == ([source] if source else [])
    assert not shown.refusals


@pytest.mark.parametrize(
    ("resources", "target"),
    [
        (one((), [WORLD], route("Here", NatGatewayId={"Ref": "Nat"})), "internet"),
        (one((), [WORLD], route("Here", InstanceId="i-1")), "internet"),
        (one((), [WORLD], route("Here"), address()), "internet"),
        (one((), [WORLD], route("Here")), "internet (groups only)"),
        (one((), [WORLD]), "internet (groups only)"),
        (one((), [WORLD_6], route("Here", "::/0"), Ipv6CidrBlock=BLOCK_6), "internet"),
        (one((), [WORLD_6], route("Here", "::/0", EgressOnlyInternetGatewayId="e"), Ipv6CidrBlock=BLOCK_6), "internet"),
        (one((), [WORLD_6], route("Here", "64:ff9b::/96", NatGatewayId="nat"), Ipv6CidrBlock=BLOCK_6), "internet"),
        (one((), [rule("tcp", 22, CidrIp="1.1.1.1/32")], route("Here", NatGatewayId="nat")), "addresses 1.1.1.1/32"),
        (one((), [rule("tcp", 22, CidrIp="1.1.1.1/32")], route("Here", "9.9.9.0/24", NatGatewayId="nat")),
         "addresses 1.1.1.1/32 (groups only)"),
    ],
)  # fmt: skip
def test_what_goes_out(tmp_path: Path, resources: Resources, target: str) -> None:
    nat = {"Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "Here"}}}}
    shown = graph(tmp_path, resources | nat)
    assert [pair[1] for pair in shown.edges if pair[0] == X] == [target]
    assert not shown.refusals


def test_ports_of_several_rules_add_up_and_the_routed_hide_nothing(tmp_path: Path) -> None:
    rules = [WORLD, rule("tcp", 443, CidrIp="0.0.0.0/0"), rule("udp", 443, CidrIpv6="::/0")]
    shown = graph(tmp_path, one(rules, None, route("Here"), address()))
    assert shown.edges == {("internet", X): "tcp 22, tcp 443", ("internet (groups only)", X): "udp 443"}


def test_a_gateway_endpoint_is_reached_by_its_routes(tmp_path: Path) -> None:
    properties = {"VpcId": {"Ref": "Vpc"}, "ServiceName": "com.amazonaws.us-east-1.s3",
                  "RouteTableIds": [{"Ref": "HereTable"}]}  # fmt: skip
    endpoint = {"S3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}}
    shown = graph(tmp_path, one((), [rule("tcp", 443, CidrIp="0.0.0.0/0")], endpoint))
    assert shown.edges == {
        (X, "internet (groups only)"): "tcp 443",
        (X, "AWS::EC2::VPCEndpoint S3"): "tcp 443",
    }


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ({"TransitGatewayId": "tgw-1"}, "a network that no template describes"),
        ({"VpcPeeringConnectionId": "pcx-1"}, "a network that no template describes"),
        ({"GatewayId": "vgw-1"}, "no internet gateway"),
        ({"NewKindOfGateway": "x"}, "does not know"),
    ],
)
def test_a_route_to_elsewhere_is_refused(tmp_path: Path, target: Any, why: str) -> None:
    shown = graph(tmp_path, one([WORLD], None, route("Here", **target)))
    assert len(shown.refusals) == 1
    assert why in shown.refusals[0]


def test_routes_of_a_subnet_that_no_template_has_are_refused(tmp_path: Path) -> None:
    shown = graph(tmp_path, one([WORLD]) | interface("X", {"Fn::Sub": "subnet-0a1b"}, "Group"))
    assert ("internet", X) in shown.edges
    assert len(shown.refusals) == 1
    assert f"{X}: is in a subnet whose routes no template describes" in shown.refusals[0]
