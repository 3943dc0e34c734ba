"""Each type that has an interface is a node, with the groups, the subnets and the address its properties say."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.network.kinds import KINDS, MEMBERS, SUBNET_GROUPS, TEMPLATES, Kind
from infra.assurance.network.schemas import FILE, types
from tests.infra.assurance.network.templates import VPC, Resources, graph, group, route, rule, subnet

GROUPS = [{"Ref": "Own"}]
SUBNETS = [{"Ref": "Here"}]
WORLD = [rule("tcp", 443, CidrIp="0.0.0.0/0")]
PLACE = VPC | subnet("Here") | route("Here") | group("Own", WORLD) | group("Other", None or (), WORLD)


def at(path: str, value: Any) -> dict[str, Any]:
    """Properties that have the value at a path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both, one in the other."""
    both = [key for key in one if key in other]
    return one | other | {key: merged(one[key], other[key]) for key in both}


def of_type(type_: str, kind: Kind, **properties: Any) -> Resources:
    """A resource of the type in the subnet, under the group."""
    given = at(kind.subnets[0], SUBNETS)
    if kind.groups:
        given = merged(given, at(kind.groups[0], GROUPS))
    return {"X": {"Type": type_, "Properties": merged(given, properties)}}


def extra(type_: str) -> dict[str, Any]:
    """What a type needs besides, to be what it is here."""
    return {"AWS::EC2::VPCEndpoint": {"VpcEndpointType": "Interface"}}.get(type_, {})


@pytest.mark.parametrize("type_", sorted(set(KINDS) - {"AWS::AutoScaling::AutoScalingGroup"}))
def test_every_type_is_a_node_under_its_own_groups(tmp_path: Path, type_: str) -> None:
    kind = KINDS[type_]
    shown = graph(tmp_path, PLACE | of_type(type_, kind, **extra(type_)))
    assert not [line for line in shown.refusals if "is given" not in line]
    into = {source for source, target in shown.edges if target == f"{type_} X"}
    assert bool(into) == kind.accepts
    assert all(source.startswith("internet") for source in into)


@pytest.mark.parametrize(("type_", "property_"), sorted(SUBNET_GROUPS.items()))
def test_a_subnet_group_stands_for_its_subnets(tmp_path: Path, type_: str, property_: str) -> None:
    store = "AWS::RDS::DBCluster"
    named = {
        "Subnets": {"Type": type_, "Properties": {"SubnetIds": SUBNETS, **({property_: "Ours"} if property_ else {})}}
    }
    references: tuple[Any, ...] = ({"Ref": "Subnets"}, "ours") if property_ else ({"Ref": "Subnets"},)
    for reference in references:
        properties = {"VpcSecurityGroupIds": GROUPS, "DBSubnetGroupName": reference}
        shown = graph(tmp_path, PLACE | named | {"X": {"Type": store, "Properties": properties}})
        assert ("internet (groups only)", f"{store} X") in shown.edges
        assert not shown.refusals


def load_balancer(**properties: Any) -> Resources:
    return of_type(kind := "AWS::ElasticLoadBalancingV2::LoadBalancer", KINDS[kind], **properties)


def service(**properties: Any) -> Resources:
    inside = {"AwsvpcConfiguration": {"Subnets": SUBNETS, "SecurityGroups": GROUPS, **properties}}
    return {"X": {"Type": "AWS::ECS::Service", "Properties": {"NetworkConfiguration": inside}}}


def instance(**properties: Any) -> Resources:
    return {"X": {"Type": "AWS::EC2::Instance", "Properties": properties}}


def database(**properties: Any) -> Resources:
    given = {"VPCSecurityGroups": GROUPS, "DBSubnetGroupName": {"Ref": "Subnets"}, **properties}
    return {
        "X": {"Type": "AWS::RDS::DBInstance", "Properties": given},
        "Subnets": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {"SubnetIds": SUBNETS}},
    }


def cluster(**member: Any) -> Resources:
    given = {"VpcSecurityGroupIds": GROUPS, "DBSubnetGroupName": {"Ref": "Subnets"}}
    part = {"DBClusterIdentifier": {"Ref": "X"}, **member}
    return database() | {
        "X": {"Type": "AWS::RDS::DBCluster", "Properties": given},
        "Writer": {"Type": "AWS::RDS::DBInstance", "Properties": part},
    }


OPEN_SUBNET = subnet("Here", MapPublicIpOnLaunch=True)
NETWORK_INTERFACE = {"DeviceIndex": "0", "SubnetId": {"Ref": "Here"}, "GroupSet": GROUPS}


@pytest.mark.parametrize(
    ("resources", "is_public"),
    [
        (load_balancer(), True),
        (load_balancer(Scheme="internet-facing"), True),
        (load_balancer(Scheme="internal"), False),
        (service(), False),
        (service(AssignPublicIp="DISABLED") | OPEN_SUBNET, False),
        (service(AssignPublicIp="ENABLED"), True),
        (instance(SecurityGroupIds=GROUPS, SubnetId={"Ref": "Here"}), False),
        (instance(SecurityGroupIds=GROUPS, SubnetId={"Ref": "Here"}) | OPEN_SUBNET, True),
        (instance(NetworkInterfaces=[{**NETWORK_INTERFACE, "AssociatePublicIpAddress": True}]), True),
        (instance(NetworkInterfaces=[{**NETWORK_INTERFACE, "AssociatePublicIpAddress": False}]) | OPEN_SUBNET, False),
        (instance(SecurityGroupIds=GROUPS, SubnetId={"Ref": "Here"})
         | {"Ip": {"Type": "AWS::EC2::EIP", "Properties": {"InstanceId": {"Ref": "X"}}}}, True),
        (database(PubliclyAccessible=False), False),
        (database(PubliclyAccessible="true"), True),
        (database(), True),  # the VPC has an internet gateway
        (cluster(PubliclyAccessible=False), False),
        (cluster(PubliclyAccessible=True), True),
    ],
)  # fmt: skip
def test_a_public_address_is_what_the_type_says(tmp_path: Path, resources: Resources, *, is_public: bool) -> None:
    shown = graph(tmp_path, PLACE | resources)
    name = f"{resources['X']['Type']} X"
    assert [source for source, target in shown.edges if target == name] == [
        "internet" if is_public else "internet (groups only)"
    ]
    assert not shown.refusals


def test_ipv6_of_a_managed_service_is_public_only_if_the_service_is(tmp_path: Path) -> None:
    six = group("Own", [rule("tcp", 443, CidrIpv6="::/0")]) | subnet("Here", Ipv6CidrBlock="2600:1f18:1:1::/64")
    for resources, source in (
        (service(), "internet"),
        (load_balancer(), "internet"),
        (load_balancer(Scheme="internal"), "internet (groups only)"),
        (database(PubliclyAccessible=False), "internet (groups only)"),
    ):
        shown = graph(tmp_path, PLACE | route("Here", "::/0") | six | resources)
        assert [one for one, target in shown.edges if target.endswith(" X")] == [source]


def test_instances_have_what_their_launch_template_says(tmp_path: Path) -> None:
    inside = {"NetworkInterfaces": [{"Groups": GROUPS, "AssociatePublicIpAddress": True}]}
    template = {"Launch": {"Type": "AWS::EC2::LaunchTemplate",
                           "Properties": {"LaunchTemplateName": "web", "LaunchTemplateData": inside}}}  # fmt: skip
    name = "AWS::AutoScaling::AutoScalingGroup X"
    for reference in ({"LaunchTemplateId": {"Ref": "Launch"}}, {"LaunchTemplateName": "web"}):
        specified = {"LaunchTemplateSpecification": reference}
        mixed = {"MixedInstancesPolicy": {"LaunchTemplate": specified}}
        for launched in ({"LaunchTemplate": reference}, mixed):
            properties = {"VPCZoneIdentifier": SUBNETS, **launched}
            scaling = {"X": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties}}
            shown = graph(tmp_path, PLACE | template | scaling)
            assert shown.edges[("internet", name)] == "tcp 443"
            assert not shown.refusals
    configured = {"LaunchConfigurationName": {"Ref": "Config"}, "VPCZoneIdentifier": SUBNETS}
    config = {"Config": {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": {"SecurityGroups": GROUPS}},
              "X": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": configured}}  # fmt: skip
    assert graph(tmp_path, PLACE | config).edges[("internet (groups only)", name)] == "tcp 443"


def test_an_instance_is_where_its_launch_template_puts_it(tmp_path: Path) -> None:
    inside = {"NetworkInterfaces": [{"SubnetId": {"Ref": "Here"}, "Groups": GROUPS}]}
    template = {"Launch": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": inside}}}
    shown = graph(tmp_path, PLACE | template | instance(LaunchTemplate={"LaunchTemplateId": {"Ref": "Launch"}}))
    assert ("internet (groups only)", "AWS::EC2::Instance X") in shown.edges
    assert not shown.refusals


def test_functions_are_not_connected_to_and_endpoints_do_not_connect(tmp_path: Path) -> None:
    everybody = group("Own", WORLD, WORLD)
    function = of_type(kind := "AWS::Lambda::Function", KINDS[kind])["X"]
    endpoint = of_type(kind := "AWS::EC2::VPCEndpoint", KINDS[kind], VpcEndpointType="Interface")["X"]
    shown = graph(tmp_path, PLACE | everybody | {"Function": function, "Endpoint": endpoint})
    into, out = {target for _, target in shown.edges}, {source for source, _ in shown.edges}
    assert "AWS::Lambda::Function Function" in out - into
    assert "AWS::EC2::VPCEndpoint Endpoint" in into - out


def test_an_application_load_balancer_without_groups_wears_the_default_group(tmp_path: Path) -> None:
    resources = load_balancer(Type="application")
    del resources["X"]["Properties"]["SecurityGroups"]
    other = {"Y": {"Type": "AWS::EC2::NetworkInterface", "Properties": {"SubnetId": {"Ref": "Here"}}}}
    shown = graph(tmp_path, PLACE | resources | other)
    assert shown.edges["AWS::EC2::NetworkInterface Y", "AWS::ElasticLoadBalancingV2::LoadBalancer X"] == "all"


def test_a_network_load_balancer_without_groups_admits_everything(tmp_path: Path) -> None:
    resources = load_balancer(Type="network")
    del resources["X"]["Properties"]["SecurityGroups"]
    listener = {"Type": "AWS::ElasticLoadBalancingV2::Listener",
                "Properties": {"LoadBalancerArn": {"Ref": "X"}, "Port": 8883, "Protocol": "TCP"}}  # fmt: skip
    target = group("Own", [rule("tcp", 1883, CidrIp="10.1.0.0/24")]) | {
        "Y": {"Type": "AWS::EC2::NetworkInterface", "Properties": {"SubnetId": {"Ref": "Here"}, "GroupSet": GROUPS}}
    }
    shown = graph(tmp_path, PLACE | resources | {"Listener": listener} | target)
    name = "AWS::ElasticLoadBalancingV2::LoadBalancer X"
    assert shown.edges["internet", name] == "tcp 8883"
    assert shown.edges[name, "AWS::EC2::NetworkInterface Y"] == "tcp 1883"


def test_a_search_domain_in_no_vpc_is_on_the_internet(tmp_path: Path) -> None:
    shown = graph(tmp_path, {"X": {"Type": "AWS::OpenSearchService::Domain", "Properties": {}}})
    assert shown.edges == {("internet", "AWS::OpenSearchService::Domain X"): "tcp 443"}


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (instance(), "in no subnet"),
        ({"X": {"Type": "AWS::RDS::DBInstance", "Properties": {}}}, "in no subnet"),
        (instance(SubnetId={"Ref": "Here"}, SecurityGroups=["web"]), "SecurityGroups"),
        (instance(SubnetId={"Fn::Sub": "subnet-1"}), "default group of a VPC that no template describes"),
        (instance(NetworkInterfaces=[{"NetworkInterfaceId": "eni-1"}]), "eni-1, which no template has"),
        (instance(LaunchTemplate={"LaunchTemplateId": "lt-1"}), "lt-1, which no template has"),
        (instance(SubnetId={"Ref": "Here"}, SecurityGroupIds=["{{resolve:ssm:group}}"]), "only its deployment names"),
        (instance(SubnetId={"Ref": "Here"}, SecurityGroupIds=["sg-12345"]), "sg-12345, whose rules no template has"),
        (cluster() | {"Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": "far"}}},
         "is part of far"),
        (load_balancer(Type="gateway"), "gateway load balancer"),
        (of_type("AWS::EC2::VPCEndpoint", KINDS["AWS::EC2::VPCEndpoint"], VpcEndpointType="ServiceNetwork"),
         "ServiceNetwork"),
    ],
)  # fmt: skip
def test_what_no_template_tells_is_refused(tmp_path: Path, resources: Resources, why: str) -> None:
    shown = graph(tmp_path, PLACE | resources)
    assert any(why in line for line in shown.refusals), shown.refusals


def test_paths_of_every_type_are_properties_that_its_schema_has() -> None:
    """A path that was misspelt would find nothing, and nobody would miss it."""
    known = {type_: set(properties) for type_, *properties in map(str.split, FILE.read_text().splitlines())}
    unseen = {"GroupSet", "Groups", "Overrides"}  # their names do not speak of networks
    for table in (KINDS, TEMPLATES):
        for type_, kind in table.items():
            last = {path.rpartition(".")[2] for path in (*kind.groups, *kind.subnets)}
            assert last - unseen <= known[type_], type_
    for type_, property_ in SUBNET_GROUPS.items():
        assert {"SubnetIds", property_} - {""} <= known[type_]
    assert {*MEMBERS, *TEMPLATES} <= set(known)


def test_the_types_are_those_of_the_schemas() -> None:
    assert FILE.read_text() == types(), "python -m infra.assurance.network.schemas"
