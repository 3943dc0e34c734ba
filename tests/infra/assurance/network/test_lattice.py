"""A Lattice service is reached by whom rules, the association and its listeners let in, and reaches its targets."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.network.templates import VPC, Resources, graph, group, interface, node, rule, subnet

LIST = "pl-0123456789abcdef0"
CLIENT, SERVICE, TARGET = node("Client"), "AWS::VpcLattice::Service Service", "AWS::ECS::Service Target"
OUT = [rule("tcp", 1, 65535, DestinationPrefixListId=LIST)]
IN = [rule("tcp", 8443, SourcePrefixListId=LIST)]
DOOR = [rule("tcp", 443, SourceSecurityGroupId={"Ref": "ClientGroup"})]


def of(type_: str, **properties: Any) -> Resources:
    return {"Type": f"AWS::VpcLattice::{type_}", "Properties": properties}


FORWARD = {"Forward": {"TargetGroups": [{"TargetGroupIdentifier": {"Ref": "Targets"}}]}}
AWSVPC = {"AwsvpcConfiguration": {"Subnets": [{"Ref": "Here"}], "SecurityGroups": [{"Ref": "TargetGroup"}]}}
REGISTRATION = [{"PortName": "x", "RoleArn": "r", "TargetGroupArn": {"Ref": "Targets"}}]


def lattice(door: Any = None, out: Any = None, into: Any = None, **more: Any) -> Resources:
    """A client's VPC associated with a network whose one service hands on to an ECS service."""
    return (
        VPC
        | subnet("Here")
        | group("ClientGroup", egress=OUT if out is None else out)
        | group("TargetGroup", ingress=IN if into is None else into)
        | group("Door", ingress=DOOR if door is None else door)
        | interface("Client", "Here", "ClientGroup")
        | {
            "Network": of("ServiceNetwork"),
            "Service": of("Service"),
            "Member": of("ServiceNetworkServiceAssociation", ServiceIdentifier={"Ref": "Service"},
                         ServiceNetworkIdentifier={"Fn::GetAtt": ["Network", "Id"]}),
            "Association": of("ServiceNetworkVpcAssociation", ServiceNetworkIdentifier={"Ref": "Network"},
                              VpcIdentifier={"Ref": "Vpc"}, SecurityGroupIds=[{"Ref": "Door"}]),
            "Listener": of("Listener", ServiceIdentifier={"Fn::GetAtt": ["Service", "Id"]}, Protocol="HTTPS",
                           DefaultAction=FORWARD),
            "Targets": of("TargetGroup", Type="IP", Config={"VpcIdentifier": {"Ref": "Vpc"}, "Port": 8443}),
            "Target": {"Type": "AWS::ECS::Service", "Properties": {
                "NetworkConfiguration": AWSVPC, "VpcLatticeConfigurations": REGISTRATION}},
        }
        | more
    )  # fmt: skip


def test_a_service_is_between_client_and_target(tmp_path: Path) -> None:
    shown = graph(tmp_path, lattice())
    assert shown.edges == {
        (CLIENT, f"prefix list {LIST}"): "tcp 1-65535",
        (f"prefix list {LIST}", TARGET): "tcp 8443",
        (CLIENT, SERVICE): "tcp 443",
        (SERVICE, TARGET): "tcp 8443",
    }
    assert not shown.refusals


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"door": [rule("tcp", 443, CidrIp="10.1.0.0/24")]}, {(CLIENT, SERVICE), (SERVICE, TARGET)}),
        ({"door": [rule("tcp", 80, CidrIp="10.1.0.0/24")]}, {(SERVICE, TARGET)}),
        ({"door": [rule("tcp", 443, SourceSecurityGroupId={"Ref": "TargetGroup"})]}, {(SERVICE, TARGET)}),
        ({"out": [rule("tcp", 443, CidrIp="169.254.171.0/24")]}, {(CLIENT, SERVICE), (SERVICE, TARGET)}),
        ({"out": [rule("-1", CidrIp="0.0.0.0/0")]}, {(CLIENT, SERVICE), (SERVICE, TARGET)}),
        ({"out": [rule("-1", CidrIpv6="fd00:ec2:80::/64")]}, {(CLIENT, SERVICE), (SERVICE, TARGET)}),
        ({"out": [rule("tcp", 443, CidrIp="10.1.0.0/16")]}, {(SERVICE, TARGET)}),
        ({"into": [rule("tcp", 8443, CidrIp="169.254.171.0/25")]}, {(CLIENT, SERVICE), (SERVICE, TARGET)}),
        ({"into": [rule("tcp", 8443, CidrIp="10.1.0.0/16")]}, {(CLIENT, SERVICE)}),
        ({"Listener": of("Listener", ServiceIdentifier={"Ref": "Service"}, Protocol="HTTP", DefaultAction=FORWARD)},
         {(SERVICE, TARGET)}),
    ],
)  # fmt: skip
def test_every_side_has_to_admit_it(tmp_path: Path, given: Any, expected: set[tuple[str, str]]) -> None:
    assert {pair for pair in graph(tmp_path, lattice(**given)).edges if SERVICE in pair} == expected


def test_an_association_without_groups_lets_in_the_whole_vpc(tmp_path: Path) -> None:
    resources = lattice()
    del resources["Association"]["Properties"]["SecurityGroupIds"]
    resources |= group("Open", egress=[rule("-1", CidrIp="0.0.0.0/0")]) | interface("Other", "Here", "Open")
    assert {source for source, target in graph(tmp_path, resources).edges if target == SERVICE} == {
        CLIENT, node("Other"),
    }  # fmt: skip


def test_an_association_lets_in_no_other_vpc(tmp_path: Path) -> None:
    resources = lattice()
    del resources["Association"]["Properties"]["SecurityGroupIds"]
    far: Resources = {
        "Far": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.2.0.0/16"}},
        "FarSubnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Far"}, "CidrBlock": "10.2.0.0/24"}},
    }
    far |= group("FarGroup", egress=OUT, VpcId={"Ref": "Far"}) | interface("Remote", "FarSubnet", "FarGroup")
    edges = graph(tmp_path, resources | far).edges
    assert (CLIENT, SERVICE) in edges
    assert (node("Remote"), SERVICE) not in edges


def test_rules_of_a_listener_hand_on_too(tmp_path: Path) -> None:
    fixed = of("Listener", ServiceIdentifier={"Ref": "Service"}, Protocol="HTTPS",
               DefaultAction={"FixedResponse": {"StatusCode": 404}})  # fmt: skip
    by_rule = of("Rule", ListenerIdentifier={"Ref": "Listener"}, Action=FORWARD)
    assert (SERVICE, TARGET) not in graph(tmp_path, lattice(Listener=fixed)).edges
    shown = graph(tmp_path, lattice(Listener=fixed, Rule=by_rule))
    assert (SERVICE, TARGET) in shown.edges
    assert not shown.refusals


def test_a_network_of_somebody_else_is_a_node(tmp_path: Path) -> None:
    association = of("ServiceNetworkVpcAssociation", ServiceNetworkIdentifier="sn-0abc", VpcIdentifier={"Ref": "Vpc"})
    shown = graph(tmp_path, lattice(Association=association))
    assert shown.edges[CLIENT, "service network sn-0abc"] == "tcp 1-65535"


def test_a_target_that_is_no_interface_of_the_templates_is_refused(tmp_path: Path) -> None:
    targets = of("TargetGroup", Type="IP", Config={}, Targets=[{"Id": "10.1.0.9"}])
    shown = graph(tmp_path, lattice(Targets=targets))
    assert any("10.1.0.9" in line for line in shown.refusals)
