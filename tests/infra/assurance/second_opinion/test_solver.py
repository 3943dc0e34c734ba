"""The solver and the graph agree about every template, and the solver says where a graph is wrong."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import read_models
from infra.assurance.network.graph import reachability
from infra.assurance.second_opinion.solver import disagreements
from tests.infra.assurance.assembly import write

SUBNETS = {"One": ("10.0.0.0/29", "2001:db8::/64"), "Two": ("10.0.0.8/29", None)}
GROUPS = ("A", "B", "C")
STORE = "AWS::RDS::DBInstance Store"
PROTOCOLS = {"tcp": 6, "6": 6, "udp": 17, "17": 17, "icmp": 1}
LAST_PORT = 65535

# A failure is not made smaller: a hundred assemblies more would take minutes.
examples = settings(max_examples=40, deadline=None, derandomize=True, database=None, phases=(Phase.generate,))

Rule = dict[str, Any]
ports = st.sampled_from([0, 79, 80, 81, 443, LAST_PORT])
others = st.one_of(
    st.sampled_from([{"group": group} for group in GROUPS]),
    st.sampled_from(
        [
            {"block": block}
            for block in ("0.0.0.0/0", "10.0.0.0/28", "10.0.0.0/30", "10.0.0.8/31", "::/0", "2001:db8::/32")
        ]
    ),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    protocol = draw(st.sampled_from(["-1", *PROTOCOLS]))
    low, high = sorted((draw(ports), draw(ports)))
    return {"protocol": protocol, "low": low, "high": high, **draw(others)}


groups = st.fixed_dictionaries({
    name: st.fixed_dictionaries({"in": st.lists(rules(), max_size=3), "out": st.lists(rules(), min_size=1, max_size=3)})
    for name in GROUPS
})  # fmt: skip
worn = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True)
interfaces = st.fixed_dictionaries(
    {name: st.tuples(st.sampled_from(sorted(SUBNETS)), worn) for name in ("X", "Y", "Store")}
)


def written(rule: Rule, side: str) -> Rule:
    """A rule as a template has it."""
    given_ports = {} if rule["protocol"] in {"-1", "icmp"} else {"FromPort": rule["low"], "ToPort": str(rule["high"])}
    if "group" in rule:
        return {"IpProtocol": rule["protocol"], **given_ports, f"{side}SecurityGroupId": {"Ref": rule["group"]}}
    family = "CidrIpv6" if ":" in rule["block"] else "CidrIp"
    return {"IpProtocol": rule["protocol"], **given_ports, family: rule["block"]}


def template(made: Any, placed: Any) -> dict[str, Any]:
    """Groups with all their rules apart, so that they may name each other, and who wears them where."""
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Six": {
            "Type": "AWS::EC2::VPCCidrBlock",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "Ipv6CidrBlock": "2001:db8::/56", "Ipv6Pool": "ipv6pool-ec2-1"},
        },
        "Both": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": "b", "SubnetIds": [{"Ref": placed["Store"][0]}]},
        },
    }
    for name, (four, six) in SUBNETS.items():
        properties: dict[str, Any] = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": four}
        resources[name] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": properties | ({"Ipv6CidrBlock": six} if six else {}),
        }
    for name, sides in made.items():
        nothing = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "127.0.0.1/32"}
        properties = {"GroupDescription": name, "VpcId": {"Ref": "Vpc"}, "SecurityGroupEgress": [nothing]}
        resources[name] = {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}
        for key, type_, side in (("in", "Ingress", "Source"), ("out", "Egress", "Destination")):
            for number, rule in enumerate(sides[key]):
                owner = {"GroupId": {"Fn::GetAtt": [name, "GroupId"]}}
                body = {"Type": f"AWS::EC2::SecurityGroup{type_}", "Properties": owner | written(rule, side)}
                resources[f"{name}{type_}{number}"] = body
    for name in ("X", "Y"):
        subnet, wears = placed[name]
        properties = {"SubnetId": {"Ref": subnet}, "GroupSet": [{"Ref": group} for group in wears]}
        resources[name] = {"Type": "AWS::EC2::NetworkInterface", "Properties": properties}
    store = {"Engine": "mysql", "DBSubnetGroupName": {"Ref": "Both"}, "PubliclyAccessible": False}
    wears = [{"Ref": group} for group in placed["Store"][1]]
    resources["Store"] = {"Type": "AWS::RDS::DBInstance", "Properties": store | {"VPCSecurityGroups": wears}}
    return {"Resources": resources}


def admits(rules_of: Sequence[Rule], protocol: int, port: int, address: Any, wears: Sequence[str]) -> bool:
    """The oracle: one rule after the other, of one packet."""
    for rule in rules_of:
        if rule["protocol"] != "-1":
            if PROTOCOLS[rule["protocol"]] != protocol:
                continue
            if protocol != PROTOCOLS["icmp"] and not rule["low"] <= port <= rule["high"]:
                continue
        if rule.get("group") in wears:
            return True
        if "block" in rule and address in ip_network(rule["block"]):
            return True
    return False


def addresses(subnet: str) -> list[Any]:
    """All of a subnet's IPv4 addresses, and a few of its IPv6 ones."""
    four, six = SUBNETS[subnet]
    return [*ip_network(four), *([ip_address("2001:db8::7")] if six else [])]


def connects(made: Any, placed: Any, name: str) -> bool:
    """Whether one packet of any can go from an interface to the store."""
    (from_, wears), (to, store_wears) = placed[name], placed["Store"]
    out = [rule for group in wears for rule in made[group]["out"]]
    into = [rule for group in store_wears for rule in made[group]["in"]]
    edges = {0, 79, 80, 81, 82, 443, 444, LAST_PORT}
    return any(
        source.version == target.version
        and admits(out, protocol, port, target, store_wears)
        and admits(into, protocol, port, source, wears)
        for source in addresses(from_)
        for target in addresses(to)
        for protocol in (1, 6, 17, 99)
        for port in edges
    )


def asked(content: dict[str, Any], reaches: Sequence[Fact] | None = None) -> tuple[list[str], list[Fact]]:
    with TemporaryDirectory() as folder:
        (model,) = read_models(write(Path(folder), {"stack": content}))
        edges = reachability(model) if reaches is None else list(reaches)
        found = disagreements(model, edges)
        assert not list(model.refusals)
        return found, edges


@examples
@given(groups, interfaces)
def test_the_solver_finds_what_packets_tried_one_by_one_find(made: Any, placed: Any) -> None:
    found, _ = asked(template(made, placed), [])
    told = {sentence.split(" reaches ")[0].rpartition(" ")[2] for sentence in found if "NetworkInterface" in sentence}
    assert told == {name for name in ("X", "Y") if connects(made, placed, name)}


@examples
@given(groups, interfaces)
def test_the_solver_and_the_graph_agree(made: Any, placed: Any) -> None:
    found, _ = asked(template(made, placed))
    assert not found


ADMIT: Rule = {"protocol": "tcp", "low": 79, "high": 81}
MADE = {
    "A": {"in": [], "out": [{**ADMIT, "group": "B"}]},
    "B": {"in": [{**ADMIT, "group": "A"}], "out": [{**ADMIT, "block": "10.0.0.8/31"}]},
    "C": {"in": [], "out": [{**ADMIT, "block": "0.0.0.0/0"}]},
}
PLACED = {"X": ("One", ["A"]), "Y": ("One", ["C"]), "Store": ("Two", ["B"])}
X, Y = "AWS::EC2::NetworkInterface X", "AWS::EC2::NetworkInterface Y"


def edge(source: str, ports_: str) -> Fact:
    return Fact(Relation.REACHES, (source, STORE, ports_))


def test_an_edge_that_the_graph_lacks_is_told() -> None:
    (sentence,), _ = asked(template(MADE, PLACED), [])
    assert sentence.startswith(f"the solver finds that {X} reaches {STORE} on tcp ")
    (sentence,), _ = asked(template(MADE, PLACED), [edge(X, "tcp 79-80")])
    assert f"{X} reaches {STORE} on tcp 81" in sentence


@pytest.mark.parametrize("wrong", ["tcp 79-82", "tcp 78-81", "udp 80", "all", "tcp 79-81, tcp 443"])
def test_an_edge_that_admits_too_much_is_told(wrong: str) -> None:
    found, _ = asked(template(MADE, PLACED), [edge(X, "tcp 79-81"), edge(X, wrong)])
    assert [sentence for sentence in found if f"{X} reaches {STORE} on {wrong}, the solver does not" in sentence]


@pytest.mark.parametrize("source", [Y, "internet", "internet (groups only)", "addresses 10.0.0.0/28", "nobody"])
def test_an_edge_of_somebody_else_is_told(source: str) -> None:
    found, _ = asked(template(MADE, PLACED), [edge(X, "tcp 79-81"), edge(source, "tcp 80")])
    assert len(found) == 1
    assert "the solver" in found[0]


def test_agreement_is_silent() -> None:
    assert asked(template(MADE, PLACED), [edge(X, "tcp 79-81")])[0] == []


ROLE = "arn:aws:iam::123456789012:role/r"
TASK: dict[str, Any] = {
    "Type": "AWS::ECS::TaskDefinition",
    "Properties": {"Family": "mail", "NetworkMode": "awsvpc", "ContainerDefinitions": [{"Name": "a", "Image": "a"}]},
}


@pytest.mark.parametrize("named", ["mail", "mail:7", {"Ref": "Task"}])
def test_a_task_that_a_workflow_starts_is_the_same_to_both(named: Any) -> None:
    content = template(MADE, PLACED)
    place = {"Subnets": [{"Ref": "One"}], "SecurityGroups": [{"Ref": PLACED["X"][1][0]}]}
    run = {"TaskDefinition": named, "NetworkConfiguration": {"AwsvpcConfiguration": place}}
    work = {"RoleArn": ROLE, "Definition": {"StartAt": "Run", "States": {"Run": {"Type": "Task", "Parameters": run}}}}
    content["Resources"] |= {"Task": TASK, "Work": {"Type": "AWS::StepFunctions::StateMachine", "Properties": work}}
    found, edges = asked(content)
    assert [fact["ports"] for fact in edges if fact["from"] == "AWS::ECS::TaskDefinition Task" and fact["to"] == STORE]
    assert found == []


def test_instances_wear_what_their_launch_configuration_says_to_both() -> None:
    content = template(MADE, PLACED)
    launch = {"ImageId": "ami-1", "InstanceType": "t3.micro", "SecurityGroups": [{"Ref": PLACED["X"][1][0]}]}
    fleet = {
        "MinSize": "1", "MaxSize": "1", "LaunchConfigurationName": {"Ref": "Launch"},
        "VPCZoneIdentifier": [{"Ref": "One"}],
    }  # fmt: skip
    content["Resources"] |= {
        "Launch": {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": launch},
        "Fleet": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": fleet},
    }
    found, edges = asked(content)
    fleets = "AWS::AutoScaling::AutoScalingGroup Fleet"
    assert [fact["ports"] for fact in edges if fact["from"] == fleets and fact["to"] == STORE]
    assert found == []


@pytest.mark.parametrize(("rule", "reached"), [({}, True), ({"block": "10.0.0.0/28"}, True), ({"group": "C"}, False)])
def test_an_egress_rule_that_stands_by_itself_takes_away_what_aws_lets_out(rule: Rule, *, reached: bool) -> None:
    content = template(MADE | {"A": {"in": [], "out": [ADMIT | rule] if rule else []}}, PLACED)
    del content["Resources"]["A"]["Properties"]["SecurityGroupEgress"]
    found, edges = asked(content)
    assert found == []
    assert any((fact["from"], fact["to"]) == (X, STORE) for fact in edges) == reached
    assert any(X in sentence for sentence in asked(content, [])[0]) == reached


@pytest.mark.parametrize("source", ["::/0", "2000::/3"])
def test_blocks_that_aws_assigns_are_somewhere_among_its_own_and_hide_no_stranger(source: str) -> None:
    content = template(MADE, PLACED)
    resources = content["Resources"]
    resources["Six"]["Properties"] = {"VpcId": {"Ref": "Vpc"}, "AmazonProvidedIpv6CidrBlock": True}
    assigned = {"Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]}
    for number, name in enumerate(SUBNETS):
        block = {"Fn::Select": [number, {"Fn::Cidr": [assigned, 8, "64"]}]}
        resources[name]["Properties"]["Ipv6CidrBlock"] = block
    everybody = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": source}
    resources["AIngress"] = {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {"GroupId": {"Fn::GetAtt": ["B", "GroupId"]}, **everybody},
    }
    resources["AEgress"] = {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {"GroupId": {"Fn::GetAtt": ["A", "GroupId"]}, **everybody},
    }
    found, edges = asked(content)
    assert {fact["from"] for fact in edges if fact["to"] == STORE and "443" in fact["ports"]} == {
        X,
        "internet (groups only)",
    }
    assert found == []
    strangers = [fact for fact in edges if fact["from"] != X]
    assert any(X in sentence for sentence in asked(content, strangers)[0])
    assert any("internet reaches" in sentence for sentence in asked(content, [f for f in edges if f["from"] == X])[0])
