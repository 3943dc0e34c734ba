"""Groups admit what the services say, and nothing else."""

import json

from tests.infra.network.read import (
    ANYWHERE,
    by_prefix_list,
    edges,
    groups,
    named,
    opening,
    rules,
    to_addresses,
)
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, reference


@promise(
    open_service=opening("backend", "Ingress", **ANYWHERE),
    open_store=opening("users", "Ingress", CidrIpv6="::/0", FromPort=5432, ToPort=5432),
    more_ports=setting("AWS::EC2::SecurityGroup", "SecurityGroupIngress.0.FromPort", 80),
    everything=setting("AWS::EC2::SecurityGroup", "SecurityGroupIngress.0.IpProtocol", "-1"),
)
def test_the_internet_reaches_port_443_of_the_load_balancer_and_nothing_else(stacks: Stacks) -> None:
    open_to = [
        (group, rule.get("CidrIp", rule.get("CidrIpv6")), rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        for group, rule in rules(stacks, "Ingress")
        if "CidrIp" in rule or "CidrIpv6" in rule
    ]
    assert open_to == [("load-balancer", "0.0.0.0/0", "tcp", 443, 443)]


@promise(
    anywhere=opening("backend", "Egress", **ANYWHERE),
    all_outbound=setting(
        "AWS::EC2::SecurityGroup", "SecurityGroupEgress", [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]
    ),
)
def test_no_group_may_open_a_connection_to_an_address_range_unless_a_nat_gateway_is_chosen(stacks: Stacks) -> None:
    for group, rule in rules(stacks, "Egress"):
        assert rule["IpProtocol"] == "tcp", (group, rule)
    assert bool(to_addresses(stacks)) == stacks.settings.has_nat


@promise(
    no_rule=without("AWS::EC2::SecurityGroup", "SecurityGroupEgress"),
    empty=setting("AWS::EC2::SecurityGroup", "SecurityGroupEgress", []),
)
def test_no_group_keeps_the_rule_that_lets_everything_out_because_each_has_one_of_its_own(stacks: Stacks) -> None:
    for name, group in stacks.resources("AWS::EC2::SecurityGroup"):
        assert group["Properties"].get("SecurityGroupEgress"), name


@promise(
    one_end=without("AWS::EC2::SecurityGroupEgress"),
    other_end=without("AWS::EC2::SecurityGroupIngress"),
    core_to_users=opening(
        "users", "Ingress", SourceSecurityGroupId={"Ref": "SecurityGroupsai_core"}, FromPort=5432, ToPort=5432
    ),
    other_port=setting("AWS::EC2::SecurityGroupIngress", "ToPort", 65535),
)
def test_groups_reach_each_other_exactly_as_the_services_say_and_both_ends_agree(stacks: Stacks) -> None:
    assert edges(stacks, "Ingress") == edges(stacks, "Egress")
    assert edges(stacks, "Ingress") == {
        ("load-balancer", "backend", 8443),
        ("backend", "users", 5432),
        ("backend", "lattice", 443),
        ("backend", "endpoints", 443),
        ("ai-core", "memory", 443),
        ("ai-core", "endpoints", 443),
    }


def _lattice_target(stacks: Stacks) -> Json:
    (target,) = stacks.properties("AWS::VpcLattice::TargetGroup")
    return target["Config"]


@promise(
    target_closed=without("AWS::EC2::SecurityGroupIngress", "SourcePrefixListId"),
    other_list=setting("AWS::EC2::SecurityGroupIngress", "SourcePrefixListId", "pl-0000000000000000"),
    other_port=setting("AWS::VpcLattice::TargetGroup", "Config.Port", 8080),
    health_port=setting("AWS::VpcLattice::TargetGroup", "Config.HealthCheck.Port", 8080),
    no_health=setting("AWS::VpcLattice::TargetGroup", "Config.HealthCheck.Enabled", value=False),
    caller_closed=without("AWS::EC2::SecurityGroupEgress", "DestinationPrefixListId"),
    callers_unlisted=without("AWS::VpcLattice::ServiceNetworkVpcAssociation", "SecurityGroupIds"),
)
def test_lattice_gets_through_for_calls_and_health_checks_from_the_backend_to_the_ai_core_alone(stacks: Stacks) -> None:
    prefix_list, target = stacks.settings.network.lattice_prefix_list, _lattice_target(stacks)
    assert by_prefix_list(stacks, "Egress", prefix_list) == {"backend": 443}
    assert by_prefix_list(stacks, "Ingress", prefix_list) == {"ai-core": target["Port"]}
    assert target["HealthCheck"]["Enabled"] is True
    assert target["HealthCheck"].get("Port", target["Port"]) == target["Port"]
    (association,) = stacks.properties("AWS::VpcLattice::ServiceNetworkVpcAssociation")
    assert [named(groups(stacks), group) for group in association.get("SecurityGroupIds", [])] == ["lattice"]
    assert {source for source, to, _ in edges(stacks, "Ingress") if to == "lattice"} == {"backend"}


@promise(
    no_names=setting("AWS::EC2::VPC", "EnableDnsHostnames", value=False),
    no_resolver=setting("AWS::EC2::VPC", "EnableDnsSupport", value=False),
)
def test_lattice_and_the_endpoints_are_found_by_their_names(stacks: Stacks) -> None:
    vpc = stacks["Network"].only("AWS::EC2::VPC")
    assert (vpc["EnableDnsSupport"], vpc["EnableDnsHostnames"]) == (True, True)


@promise(kept=without("Custom::VpcRestrictDefaultSG"))
def test_the_default_security_group_lets_nothing_through(stacks: Stacks) -> None:
    emptied = stacks["Network"].only("Custom::VpcRestrictDefaultSG")
    (vpc,) = stacks["Network"].resources("AWS::EC2::VPC")
    assert emptied["DefaultSecurityGroupId"] == {"Fn::GetAtt": [vpc, "DefaultSecurityGroup"]}


@promise(
    may_log=setting(
        "AWS::IAM::Role",
        "ManagedPolicyArns",
        ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
    )
)
def test_what_empties_it_writes_no_log_for_lambda_would_keep_that_for_ever_and_without_our_key(stacks: Stacks) -> None:
    network = stacks["Network"]
    (function,) = network.resources("AWS::Lambda::Function").values()
    role = network.resources()[reference(function["Properties"]["Role"])]["Properties"]
    assert "ManagedPolicyArns" not in role
    assert "logs:" not in json.dumps(role["Policies"])
