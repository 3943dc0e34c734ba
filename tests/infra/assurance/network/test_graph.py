"""An edge is where the rules of both sides admit it, however they are written; and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.model import read_models
from infra.assurance.network.graph import mermaid, reachability
from tests.infra.assurance.network.templates import VPC, Resources, graph, group, interface, node, route, rule, subnet

APP, DATA = node("App"), node("Data")
GROUP = {"SourceSecurityGroupId": {"Ref": "AppGroup"}}


def two(ingress: Any, egress: Any, **more: Any) -> Resources:
    """An application and a store, each in a subnet and a group of its own."""
    return (
        VPC
        | subnet("Here", "10.1.0.0/24")
        | subnet("There", "10.1.1.0/24")
        | group("AppGroup", egress=egress)
        | group("DataGroup", ingress=ingress)
        | interface("App", "Here", "AppGroup")
        | interface("Data", "There", "DataGroup")
        | more
    )


OUT = [rule("-1", DestinationSecurityGroupId={"Ref": "DataGroup"})]


@pytest.mark.parametrize(
    ("ingress", "egress", "ports"),
    [
        (rule("tcp", 5432, **GROUP), OUT[0], "tcp 5432"),
        (rule("6", "5432", **GROUP), OUT[0], "tcp 5432"),
        (rule("-1", **GROUP), OUT[0], "all"),
        (rule("tcp", 0, 65535, **GROUP), rule("tcp", 5000, 6000, CidrIp="0.0.0.0/0"), "tcp 5000-6000"),
        (rule("tcp", 5432, CidrIp="10.1.0.0/16"), rule("-1", CidrIp="10.1.1.0/24"), "tcp 5432"),
        (rule("tcp", 5432, CidrIp="10.1.0.0/24"), OUT[0], "tcp 5432"),
        (rule("tcp", 5432, CidrIp="10.1.0.77/32"), OUT[0], "tcp 5432"),
        (rule("udp", 53, CidrIp="0.0.0.0/0"), OUT[0], "udp 53"),
        (rule("icmp", -1, -1, **GROUP), OUT[0], "icmp"),
        (rule("tcp", 5432, SourceSecurityGroupId={"Fn::GetAtt": ["AppGroup", "GroupId"]}), OUT[0], "tcp 5432"),
        # What one side or the other does not admit:
        (rule("tcp", 5432, CidrIp="10.1.1.0/24"), OUT[0], None),
        (rule("tcp", 5432, **GROUP), rule("tcp", 443, CidrIp="0.0.0.0/0"), None),
        (rule("udp", 5432, **GROUP), rule("tcp", 5432, CidrIp="0.0.0.0/0"), None),
        (rule("tcp", 5432, **GROUP), rule("-1", CidrIp="10.1.0.0/24"), None),
        (rule("tcp", 5432, SourceSecurityGroupId={"Ref": "DataGroup"}), OUT[0], None),
        # The same connection has one address family:
        (rule("tcp", 5432, CidrIp="10.1.0.0/16"), rule("tcp", 5432, CidrIpv6="::/0"), None),
    ],
)  # fmt: skip
def test_an_edge_takes_both_sides(tmp_path: Path, ingress: Any, egress: Any, ports: str | None) -> None:
    shown = graph(tmp_path, two([ingress], []) | group("AppGroup", egress=[egress]))
    assert shown.edges.get((APP, DATA)) == ports
    assert not shown.refusals


def test_rules_add_up_from_both_kinds_of_resource(tmp_path: Path) -> None:
    to_data = {"DestinationSecurityGroupId": {"Ref": "DataGroup"}}
    ingress = {"GroupId": {"Ref": "DataGroup"}, **rule("tcp", 5433, **GROUP)}
    egress = {"GroupId": {"Fn::GetAtt": "AppGroup.GroupId"}, **rule("tcp", 1, 65535, **to_data)}
    alone = {
        "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": ingress},
        "Out": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": egress},
    }
    shown = graph(tmp_path, two([rule("tcp", 5432, **GROUP)], [rule("udp", 1, CidrIp="10.1.1.0/24")], **alone))
    assert shown.edges == {(APP, DATA): "tcp 5432-5433"}


def test_a_group_without_egress_rules_lets_everything_out(tmp_path: Path) -> None:
    resources = two([rule("tcp", 5432, **GROUP)], [])
    open_ = {(APP, DATA): "tcp 5432", (APP, "internet (groups only)"): "all"}
    assert graph(tmp_path, resources).edges == open_
    del resources["AppGroup"]["Properties"]["SecurityGroupEgress"]
    assert graph(tmp_path, resources).edges == open_


@pytest.mark.parametrize("owner", [{"Ref": "AppGroup"}, {"Fn::GetAtt": "Vpc.DefaultSecurityGroup"}])
def test_an_egress_rule_that_stands_by_itself_takes_away_what_aws_lets_out(tmp_path: Path, owner: Any) -> None:
    resources = two([rule("tcp", 5432, CidrIp="10.0.0.0/8")], []) | interface("App", "Here", owner)
    del resources["AppGroup"]["Properties"]["SecurityGroupEgress"]
    assert (APP, "internet (groups only)") in graph(tmp_path, resources).edges
    out = {"GroupId": owner, **rule("tcp", 5432, DestinationSecurityGroupId={"Ref": "DataGroup"})}
    resources["Out"] = {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": out}
    assert {peer: ports for (who, peer), ports in graph(tmp_path, resources).edges.items() if who == APP} == {
        DATA: "tcp 5432"
    }
    resources["Here"]["Properties"]["Ipv6CidrBlock"] = "2001:db8::/64"  # of that half nobody has said that it goes
    assert (APP, "internet (groups only)") in graph(tmp_path, resources).edges


def test_who_wears_another_s_group_has_its_edges(tmp_path: Path) -> None:
    clean = two([rule("tcp", 5432, **GROUP)], OUT)
    assert set(graph(tmp_path, clean).edges) == {(APP, DATA)}
    shown = graph(tmp_path, clean | group("Other") | interface("New", "There", "Other", "AppGroup"))
    assert set(shown.edges) == {(APP, DATA), (node("New"), DATA)}


def test_without_groups_it_wears_the_vpc_s_default_group(tmp_path: Path) -> None:
    resources = VPC | subnet("Here") | interface("One", "Here") | interface("Two", "Here")
    edges = graph(tmp_path, resources).edges
    assert edges[node("One"), node("Two")] == edges[node("Two"), node("One")] == "all"
    by_name = interface("Two", "Here", {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]})
    assert graph(tmp_path, resources | by_name).edges == edges


def test_groups_of_another_stack_are_the_same_groups(tmp_path: Path) -> None:
    first = two([], OUT)
    outputs = {
        name: {"Value": {"Fn::GetAtt": [name, "GroupId"]}, "Export": {"Name": f"export-{name}"}}
        for name in ("AppGroup", "DataGroup")
    }
    second: Resources = {
        "Rule": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::ImportValue": "export-DataGroup"},
                **rule("tcp", 5432, SourceSecurityGroupId={"Fn::ImportValue": "export-AppGroup"}),
            },
        }
    }
    shown = graph(tmp_path, first, second, outputs=outputs)
    assert shown.edges == {(APP, DATA): "tcp 5432"}


def test_a_group_that_no_template_has_is_a_node(tmp_path: Path) -> None:
    foreign = rule("tcp", 22, SourceSecurityGroupId="sg-0123456789abcdef0")
    outgoing = rule("tcp", 25, DestinationSecurityGroupId="sg-99")
    shown = graph(tmp_path, two([foreign], [outgoing]))
    assert shown.edges == {("group sg-0123456789abcdef0", DATA): "tcp 22", (APP, "group sg-99"): "tcp 25"}


def test_a_prefix_list_is_a_node_unless_a_template_tells_its_ranges(tmp_path: Path) -> None:
    own: Resources = {
        "List": {
            "Type": "AWS::EC2::PrefixList",
            "Properties": {"PrefixListName": "l", "AddressFamily": "IPv4", "Entries": [{"Cidr": "10.1.0.0/24"}]},
        }
    }
    aws = rule("tcp", 80, SourcePrefixListId="pl-3b927c52")
    mine = rule("tcp", 5432, SourcePrefixListId={"Fn::GetAtt": ["List", "PrefixListId"]})
    shown = graph(tmp_path, two([aws, mine], OUT, **own))
    anyone = ("addresses 10.1.0.0/24 (groups only)", DATA)
    assert shown.edges == {(APP, DATA): "tcp 5432", anyone: "tcp 5432", ("prefix list pl-3b927c52", DATA): "tcp 80"}
    del own["List"]["Properties"]["Entries"]  # filled by IPAM
    assert len(graph(tmp_path, two([mine], OUT, **own)).edges) == 1


def test_addresses_of_the_vpc_are_a_node_whoever_has_them(tmp_path: Path) -> None:
    """A rule for the whole VPC lets in what is put there tomorrow, even if nothing there may connect today."""
    shown = graph(tmp_path, two([rule("tcp", 5432, CidrIp="10.1.0.0/16")], [rule("tcp", 443, CidrIp="10.9.0.0/16")]))
    assert shown.edges[("addresses 10.1.0.0/16 (groups only)", DATA)] == "tcp 5432"
    assert (APP, DATA) not in shown.edges


def test_an_aws_prefix_list_is_a_node_that_one_reaches(tmp_path: Path) -> None:
    shown = graph(tmp_path, two([], [rule("tcp", 443, DestinationPrefixListId="pl-63a5400a")]))
    assert shown.edges == {(APP, "prefix list pl-63a5400a"): "tcp 443"}


def test_vpcs_do_not_reach_each_other(tmp_path: Path) -> None:
    other = {
        "Far": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
        "FarSubnet": {"Type": "AWS::EC2::Subnet",
                      "Properties": {"VpcId": {"Ref": "Far"}, "CidrBlock": "10.1.0.0/24"}},
    }  # fmt: skip
    everybody = [rule("-1", CidrIp="10.0.0.0/8")]
    resources = two(everybody, everybody, **other)
    far = group("FarGroup", everybody, everybody, VpcId={"Ref": "Far"}) | interface("Remote", "FarSubnet", "FarGroup")
    edges = graph(tmp_path, resources | far).edges
    assert {pair for pair in edges if node("Remote") in pair} == {
        (node("Remote"), "addresses 10.0.0.0/8 (groups only)"),
        ("addresses 10.0.0.0/8 (groups only)", node("Remote")),
    }


@pytest.mark.parametrize("subnets", [("10.1.0.0/24", "10.1.1.0/24")])
def test_ipv6_needs_addresses_and_rules_of_its_own(tmp_path: Path, subnets: tuple[str, str]) -> None:
    blocks = ("2600:1f18:1:1::/64", "2600:1f18:1:2::/64")
    dual = {
        name: body
        for name, block, ipv6 in zip(("Here", "There"), subnets, blocks, strict=True)
        for name, body in subnet(name, block, Ipv6CidrBlock=ipv6).items()
    }
    admitted = two([rule("tcp", 5432, CidrIpv6=blocks[0])], [rule("tcp", 5432, CidrIpv6=blocks[1])])
    assert (APP, DATA) not in graph(tmp_path, admitted).edges
    assert graph(tmp_path, admitted | dual).edges[APP, DATA] == "tcp 5432"


def test_one_connection_has_one_address_family(tmp_path: Path) -> None:
    blocks = ("2600:1f18:1:1::/64", "2600:1f18:1:2::/64")
    dual = subnet("Here", "10.1.0.0/24", Ipv6CidrBlock=blocks[0]) | subnet(
        "There", "10.1.1.0/24", Ipv6CidrBlock=blocks[1]
    )
    mixed = two([rule("tcp", 5432, CidrIp="10.1.0.0/24")], [rule("tcp", 5432, CidrIpv6="::/0")])
    assert (APP, DATA) not in graph(tmp_path, mixed | dual).edges
    by_groups = two([rule("tcp", 5432, **GROUP)], OUT)
    assert graph(tmp_path, by_groups | subnet("There", None, Ipv6CidrBlock=blocks[1])).edges == {}
    assert graph(tmp_path, by_groups | dual).edges == {(APP, DATA): "tcp 5432"}


def test_ipv6_that_aws_assigns_is_within_what_everybody_means(tmp_path: Path) -> None:
    assigned = {
        "Fn::Select": [0, {"Fn::Cidr": [{"Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]}, 8, 64]}]
    }
    dual = subnet("Here", "10.1.0.0/24", Ipv6CidrBlock=assigned) | subnet(
        "There", "10.1.1.0/24", Ipv6CidrBlock=assigned
    )
    for block in ("2000::/3", "::/0"):
        world = rule("tcp", 5432, CidrIpv6=block)
        shown = graph(tmp_path, two([world], [world]) | dual)
        assert shown.edges[APP, DATA] == "tcp 5432"
        assert not shown.refusals
    shown = graph(tmp_path, two([rule("tcp", 5432, CidrIpv6="2600:1f18::/32")], OUT) | dual)
    assert any("addresses that no template tells" in line for line in shown.refusals)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (rule("tcp", 1, CidrIp="not a range"), "no address range"),
        (rule("tcp", 1, CidrIp="{{resolve:ssm:office}}"), "known only at deployment"),
        (rule("tcp", 1, SourceSecurityGroupName="web"), "names no peer"),
        (rule("tcp", 1), "names no peer"),
        (rule("smtp", 1, CidrIp="10.1.0.0/16"), "no known traffic"),
        (rule("tcp", 5, 3, CidrIp="10.1.0.0/16"), "no known traffic"),
        ("rule", "is no rule"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_and_the_others_count(tmp_path: Path, bad: Any, why: str) -> None:
    shown = graph(tmp_path, two([bad, rule("tcp", 5432, **GROUP)], OUT))
    assert any("SecurityGroup DataGroup" in line and why in line for line in shown.refusals)
    assert shown.edges[APP, DATA] == "tcp 5432"


def test_an_edge_says_what_makes_it_true(tmp_path: Path) -> None:
    graph(tmp_path, two([rule("tcp", 5432, **GROUP)], OUT))
    (model,) = read_models(tmp_path)
    (fact,) = reachability(model)
    assert [resource.logical_id for resource in fact.evidence] == ["AppGroup", "DataGroup", "App", "Data"]
    kind = "AWS::EC2::SecurityGroup"
    assert fact.path == (
        f"egress of {kind} AppGroup, worn by {APP}, admits all to {kind} DataGroup",
        f"ingress of {kind} DataGroup, worn by {DATA}, admits tcp 5432 from {kind} AppGroup",
    )
    assert 'n0 -->|"tcp 5432"| n1' in mermaid([fact])


def test_a_subnet_that_only_has_an_id_is_asked_for_no_more_than_it_tells(tmp_path: Path) -> None:
    here: Any = "subnet-0123"
    known = interface("App", {"Fn::Sub": here}, "AppGroup") | interface("Data", {"Fn::Sub": "subnet-4567"}, "DataGroup")
    shown = graph(tmp_path, two([rule("tcp", 5432, **GROUP)], OUT) | known)
    assert (shown.edges, shown.refusals) == ({(APP, DATA): "tcp 5432"}, ())
    shown = graph(tmp_path, two([rule("tcp", 5432, CidrIp="10.1.0.0/24")], OUT) | known)
    assert any(line.startswith("subnet subnet-0123: has addresses") for line in shown.refusals)


def test_a_route_alone_opens_nothing(tmp_path: Path) -> None:
    assert not graph(tmp_path, two([], None, **route("Here"), **route("There"))).edges
