"""The network lets in what it must and leads nowhere else."""

import re
from typing import Any

from infra.settings import read_environment
from tests.infra.template import Json, Template, as_list, reference


def _groups(network: Template) -> dict[str, str]:
    return {
        logical_id: r["Properties"]["GroupName"].split("-", 2)[2]
        for logical_id, r in network.resources("AWS::EC2::SecurityGroup").items()
    }


def _rules(template: Template, direction: str) -> list[tuple[str, Json]]:
    """Group and rule of every rule in ``direction`` (``Ingress``, ``Egress``), inline or a resource of its own."""
    inline = [
        (logical_id, rule)
        for logical_id, r in template.resources("AWS::EC2::SecurityGroup").items()
        for rule in r["Properties"].get(f"SecurityGroup{direction}", [])
    ]
    alone = [(reference(p["GroupId"]), p) for p in template.properties(f"AWS::EC2::SecurityGroup{direction}")]
    return inline + alone


def _edges(network: Template, direction: str) -> set[tuple[str, str, int]]:
    """From, to and port of every rule between two groups."""
    names = _groups(network)
    peer = "SourceSecurityGroupId" if direction == "Ingress" else "DestinationSecurityGroupId"
    edges: set[tuple[str, str, int]] = set()
    for group, rule in _rules(network, direction):
        if peer in rule:
            assert rule["FromPort"] == rule["ToPort"]
            ends = (names[group], names[reference(rule[peer])])
            source, target = reversed(ends) if direction == "Ingress" else ends
            edges.add((source, target, rule["FromPort"]))
    return edges


def test_the_internet_reaches_port_443_of_the_load_balancer_and_nothing_else(stacks: tuple[Template, ...]) -> None:
    open_to: list[tuple[str, Any, Any, Any]] = []
    for template in stacks:
        names = _groups(template)
        open_to += [
            (names[group], rule.get("CidrIp", rule.get("CidrIpv6")), rule["FromPort"], rule["ToPort"])
            for group, rule in _rules(template, "Ingress")
            if "CidrIp" in rule or "CidrIpv6" in rule
        ]
    assert open_to == [("load-balancer", "0.0.0.0/0", 443, 443)]


def test_no_group_may_open_a_connection_to_an_address_range(network: Template) -> None:
    nowhere = {"255.255.255.255/32"}  # the library's way to say: no rule at all
    ranges = {rule.get("CidrIp", rule.get("CidrIpv6")) for _, rule in _rules(network, "Egress")} - {None}
    assert ranges <= nowhere


def test_groups_reach_each_other_exactly_as_the_services_say_and_both_ends_agree(network: Template) -> None:
    assert _edges(network, "Ingress") == _edges(network, "Egress")
    assert _edges(network, "Ingress") == {
        ("load-balancer", "backend", 8443),
        ("backend", "users", 5432),
        ("backend", "lattice", 443),
        ("backend", "endpoints", 443),
        ("ai-core", "memory", 443),
        ("ai-core", "endpoints", 443),
    }


def test_only_the_backend_calls_through_lattice_and_only_the_ai_core_is_called(network: Template) -> None:
    names = _groups(network)
    prefix_list = read_environment(network.environment).network.lattice_prefix_list
    outgoing = {
        names[group]: rule["FromPort"]
        for group, rule in _rules(network, "Egress")
        if rule.get("DestinationPrefixListId") == prefix_list
    }
    incoming = {
        names[group]: rule["FromPort"]
        for group, rule in _rules(network, "Ingress")
        if rule.get("SourcePrefixListId") == prefix_list
    }
    assert outgoing == {"backend": 443}
    assert incoming == {"ai-core": 8443}


def test_only_public_subnets_have_a_route_to_the_internet(network: Template) -> None:
    subnets = network.resources("AWS::EC2::Subnet")
    tables = {
        reference(p["SubnetId"]): reference(p["RouteTableId"])
        for p in network.properties("AWS::EC2::SubnetRouteTableAssociation")
    }
    routed = {reference(p["RouteTableId"]) for p in network.properties("AWS::EC2::Route")}
    with_route = {name for name in subnets if tables[name] in routed}
    assert with_route == {name for name in subnets if name.startswith("Vpcpublic")}
    assert network.resources("AWS::EC2::NatGateway") == {}
    assert [s["Properties"]["MapPublicIpOnLaunch"] for s in subnets.values()] == [False] * len(subnets)


def test_there_are_three_kinds_of_subnet_in_each_zone_of_the_settings(network: Template) -> None:
    zones = read_environment(network.environment).network.zones
    kinds = {
        (re.sub(r"^Vpc|Subnet\d.*$", "", name), r["Properties"]["AvailabilityZone"])
        for name, r in network.resources("AWS::EC2::Subnet").items()
    }
    assert kinds == {(kind, zone) for kind in ("public", "application", "data") for zone in zones}


def test_the_addresses_that_the_backend_believes_are_those_of_the_load_balancer(
    network: Template, compute: Template
) -> None:
    public = [
        r["Properties"]["CidrBlock"]
        for name, r in network.resources("AWS::EC2::Subnet").items()
        if name.startswith("Vpcpublic")
    ]
    values = read_environment(network.environment).service_values()
    assert values["settings.trusted_proxies"] == ",".join(public)
    balancer = compute.only("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert all("Vpcpublic" in reference(subnet) for subnet in balancer["Subnets"])


def test_the_default_security_group_is_emptied_and_all_traffic_is_written_down(network: Template) -> None:
    assert len(network.resources("Custom::VpcRestrictDefaultSG")) == 1
    assert network.only("AWS::EC2::FlowLog")["TrafficType"] == "ALL"


def test_every_endpoint_allows_named_actions_of_this_account_alone(network: Template) -> None:
    account = read_environment(network.environment).account.id
    endpoints = network.properties("AWS::EC2::VPCEndpoint")
    services = {re.sub(r"^com\.amazonaws\.[^.]+\.", "", _name(p)) for p in endpoints}
    assert services == {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "bedrock-runtime", "s3"}
    for endpoint in endpoints:
        for statement in endpoint["PolicyDocument"]["Statement"]:
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            assert not any(action.endswith("*") for action in actions)
            assert resources != ["*"] or actions == ["ecr:GetAuthorizationToken"]
            if endpoint["VpcEndpointType"] == "Interface":
                assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": account}}
                assert endpoint["PrivateDnsEnabled"] is True
                assert all("application" in reference(s) for s in endpoint["SubnetIds"])


def _name(endpoint: Json) -> str:
    name = endpoint["ServiceName"]
    return name if isinstance(name, str) else "".join(reference(part) for part in name["Fn::Join"][1])
