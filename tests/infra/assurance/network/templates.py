"""Small templates of networks, and the edges that are computed from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.assurance.model.model import read_models
from infra.assurance.network.graph import reachability
from tests.infra.assurance.assembly import write

Resources = dict[str, Any]
VPC: Resources = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway", "Properties": {}},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
}
"""A VPC with an internet gateway that no route leads to."""


@dataclass(frozen=True)
class Graph:
    """What was computed: edges as `(from, to): ports`, and what was refused, as lines."""

    edges: Mapping[tuple[str, str], str]
    refusals: tuple[str, ...]


def graph(folder: Path, *templates: Resources, outputs: Mapping[str, Any] | None = None) -> Graph:
    """The edges of an assembly of a stack for each template's resources; names are type and logical id.

    The outputs are the first stack's.
    """
    stacks: dict[str, Any] = {f"stack{number}": {"Resources": one} for number, one in enumerate(templates)}
    stacks["stack0"]["Outputs"] = outputs or {}
    models = read_models(write(folder, stacks))
    facts = [fact for model in models for fact in reachability(model)]
    return Graph({(fact["from"], fact["to"]): fact["ports"] for fact in facts}, tuple(map(str, models[0].refusals)))


def subnet(name: str, block: str | None = "10.1.0.0/24", **properties: Any) -> Resources:
    """A subnet with a route table of its own, `<name>Table`."""
    given = {"VpcId": {"Ref": "Vpc"}, **({"CidrBlock": block} if block else {}), **properties}
    return {
        name: {"Type": "AWS::EC2::Subnet", "Properties": given},
        f"{name}Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        f"{name}Association": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": {"Ref": name}, "RouteTableId": {"Ref": f"{name}Table"}},
        },
    }


def route(subnet_: str, destination: str = "0.0.0.0/0", **target: Any) -> Resources:
    """A route of a subnet; by the internet gateway if no target is given."""
    key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    properties = {"RouteTableId": {"Ref": f"{subnet_}Table"}, key: destination}
    name = f"{subnet_}To{''.join(filter(str.isalnum, destination))}"
    return {name: {"Type": "AWS::EC2::Route", "Properties": properties | (target or {"GatewayId": {"Ref": "Gateway"}})}}


def group(name: str, ingress: Any = (), egress: Any = None, **properties: Any) -> Resources:
    """A security group. Without egress rules it gets one that means nobody, so that nothing is open by itself."""
    nobody = [rule("tcp", 443, CidrIp="127.0.0.1/32")]
    given = {
        "GroupDescription": name,
        "VpcId": {"Ref": "Vpc"},
        "SecurityGroupIngress": list(ingress),
        "SecurityGroupEgress": nobody if egress is None else list(egress),
    }
    return {name: {"Type": "AWS::EC2::SecurityGroup", "Properties": given | properties}}


def rule(protocol: Any, first: Any = None, last: Any = None, **peer: Any) -> Resources:
    """A rule as it stands in a group."""
    ports = {} if first is None else {"FromPort": first, "ToPort": first if last is None else last}
    return {"IpProtocol": protocol, **ports, **peer}


def interface(name: str, subnet_: Any, *groups: Any) -> Resources:
    """The plainest thing with an interface."""
    ids = [{"Ref": one} if isinstance(one, str) else one for one in groups]
    subnet_id = {"Ref": subnet_} if isinstance(subnet_, str) else subnet_
    properties = {"SubnetId": subnet_id, **({"GroupSet": ids} if ids else {})}
    return {name: {"Type": "AWS::EC2::NetworkInterface", "Properties": properties}}


def node(name: str) -> str:
    """What facts call an `interface`."""
    return f"AWS::EC2::NetworkInterface {name}"
