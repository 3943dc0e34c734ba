"""The network's templates, with the questions that its tests ask of them, and what they add to them."""

import re

from tests.infra.promise import Mutation, Stacks
from tests.infra.template import Json, reference, strings

ITSELF = "127.0.0.1/32"
"""Where traffic never leaves the machine: the rule of a group that is there for the sake of having one."""


def groups(stacks: Stacks) -> dict[str, str]:
    """Security groups by logical id: their name without the environment's."""
    return {
        logical_id: r["Properties"]["GroupName"].split("-", 2)[2]
        for logical_id, r in stacks.resources("AWS::EC2::SecurityGroup")
    }


def rules(stacks: Stacks, direction: str) -> list[tuple[str, Json]]:
    """Group and rule of every rule in ``direction`` (``Ingress``, ``Egress``), inline or a resource of its own."""
    names = groups(stacks)
    inline = [
        (names[logical_id], rule)
        for logical_id, r in stacks.resources("AWS::EC2::SecurityGroup")
        for rule in r["Properties"].get(f"SecurityGroup{direction}", [])
    ]
    alone = [(named(names, p["GroupId"]), p) for p in stacks.properties(f"AWS::EC2::SecurityGroup{direction}")]
    return inline + alone


def named(names: dict[str, str], group: object) -> str:
    """The name of the group that is referred to, also from another stack by its export."""
    text = reference(group)
    return next((name for logical_id, name in names.items() if logical_id in text), text)


def edges(stacks: Stacks, direction: str) -> set[tuple[str, str, int]]:
    """From, to and port of every rule between two groups."""
    names = groups(stacks)
    peer = "SourceSecurityGroupId" if direction == "Ingress" else "DestinationSecurityGroupId"
    found: set[tuple[str, str, int]] = set()
    for group, rule in rules(stacks, direction):
        if peer in rule:
            assert rule["FromPort"] == rule["ToPort"]
            ends = (group, named(names, rule[peer]))
            source, target = reversed(ends) if direction == "Ingress" else ends
            found.add((source, target, rule["FromPort"]))
    return found


def by_prefix_list(stacks: Stacks, direction: str, prefix_list: str) -> dict[str, int]:
    """Group and port of every rule with ``prefix_list`` at the other end."""
    peer = "SourcePrefixListId" if direction == "Ingress" else "DestinationPrefixListId"
    return {group: rule["FromPort"] for group, rule in rules(stacks, direction) if rule.get(peer) == prefix_list}


def to_addresses(stacks: Stacks) -> set[tuple[str, str, int]]:
    """Group, range and port of every egress rule to a range of addresses."""
    return {
        (group, str(rule.get("CidrIp", rule.get("CidrIpv6"))), int(rule["FromPort"]))
        for group, rule in rules(stacks, "Egress")
        if not {"DestinationSecurityGroupId", "DestinationPrefixListId"} & rule.keys() and rule.get("CidrIp") != ITSELF
    }


def subnet_kind(subnet: object) -> str:
    """``public``, ``application`` or ``data``, of a reference to a subnet."""
    match = re.search(r"Vpc(public|application|data)Subnet", reference(subnet))
    assert match, subnet
    return match[1]


def routes(stacks: Stacks) -> dict[str, list[Json]]:
    """The routes of each subnet, by its logical id."""
    network = stacks["Network"]
    tables = {
        reference(p["SubnetId"]): reference(p["RouteTableId"])
        for p in network.properties("AWS::EC2::SubnetRouteTableAssociation")
    }
    return {
        subnet: [r for r in network.properties("AWS::EC2::Route") if reference(r["RouteTableId"]) == tables[subnet]]
        for subnet in network.resources("AWS::EC2::Subnet")
    }


def endpoints(stacks: Stacks) -> dict[str, Json]:
    """Endpoints by the last part of their service's name, like ``ecr.api``."""
    region = stacks.settings.account.region
    names = (
        ("".join(strings(endpoint["ServiceName"])).replace("AWS::Region", region), endpoint)
        for endpoint in stacks["Network"].properties("AWS::EC2::VPCEndpoint")
    )
    return {name.removeprefix(f"com.amazonaws.{region}."): endpoint for name, endpoint in names}


def opening(group: str, direction: str, **rule: object) -> Mutation:
    """Add a rule to the group named ``group``."""

    def mutate(stacks: Stacks) -> None:
        (logical_id,) = (key for key, name in groups(stacks).items() if name == group)
        properties = {"GroupId": {"Fn::GetAtt": [logical_id, "GroupId"]}, "IpProtocol": "tcp", **rule}
        resource = {"Type": f"AWS::EC2::SecurityGroup{direction}", "Properties": properties}
        stacks["Network"].body["Resources"]["Added"] = resource

    return mutate


def route_of(subnet: str, **target: object) -> Mutation:
    """Add a route to the first subnet of a kind."""

    def mutate(stacks: Stacks) -> None:
        network = stacks["Network"]
        (table,) = (k for k in network.resources("AWS::EC2::RouteTable") if k.startswith(f"Vpc{subnet}Subnet1"))
        properties = {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": "0.0.0.0/0", **target}
        network.body["Resources"]["Added"] = {"Type": "AWS::EC2::Route", "Properties": properties}

    return mutate


ANYWHERE: Json = {"CidrIp": "0.0.0.0/0", "FromPort": 443, "ToPort": 443}
