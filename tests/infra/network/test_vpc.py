"""Subnets and their routes lead nowhere but where they must, and what passes is written down."""

from collections.abc import Iterator

from infra.services import read_services
from tests.infra.network.read import (
    route_of,
    routes,
    subnet_kind,
)
from tests.infra.promise import Stacks, adding, promise, setting, without
from tests.infra.template import reference

OTHER_WAYS_OUT = (
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNGateway",
)


@promise(
    data_routed=route_of("data", GatewayId="igw"),
    application_routed=route_of("application", GatewayId="igw"),
    peered=adding("Network", "Peer", {"Type": "AWS::EC2::VPCPeeringConnection", "Properties": {}}),
    sixth=adding("Network", "Six", {"Type": "AWS::EC2::VPCCidrBlock", "Properties": {}}),
    public_address=setting("AWS::EC2::Subnet", "MapPublicIpOnLaunch", value=True),
    public_task=setting("AWS::ECS::Service", "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "ENABLED"),
)
def test_application_and_data_subnets_have_no_route_to_the_internet(stacks: Stacks) -> None:
    for subnet, found in routes(stacks).items():
        match subnet_kind(subnet):
            case "public":
                assert all("GatewayId" in route for route in found)
            case "application" if stacks.settings.has_nat:
                assert all("NatGatewayId" in route for route in found)
            case _:
                assert found == [], subnet
    assert list(stacks.resources(*OTHER_WAYS_OUT)) == []
    assert {p["MapPublicIpOnLaunch"] for p in stacks.properties("AWS::EC2::Subnet")} == {False}
    for service in stacks.properties("AWS::ECS::Service"):
        assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def _subnets(stacks: Stacks) -> Iterator[tuple[str, set[str]]]:
    """What is in which kinds of subnets."""
    for p in stacks.properties("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        yield "public", {subnet_kind(s) for s in p["Subnets"]}
    for p in stacks.properties("AWS::ECS::Service"):
        yield "application", {subnet_kind(s) for s in p["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]}
    for p in stacks.properties("AWS::RDS::DBSubnetGroup"):
        yield "data", {subnet_kind(s) for s in p["SubnetIds"]}
    for p in stacks.properties("AWS::OpenSearchService::Domain"):
        yield "data", {subnet_kind(s) for s in p["VPCOptions"]["SubnetIds"]}


PUBLIC_SUBNETS = [{"Ref": "VpcpublicSubnet1Subnet0"}]


@promise(
    public_database=setting("AWS::RDS::DBSubnetGroup", "SubnetIds", PUBLIC_SUBNETS),
    public_memory=setting("AWS::OpenSearchService::Domain", "VPCOptions.SubnetIds", PUBLIC_SUBNETS),
    public_tasks=setting("AWS::ECS::Service", "NetworkConfiguration.AwsvpcConfiguration.Subnets", PUBLIC_SUBNETS),
)
def test_only_the_load_balancer_is_in_public_subnets_and_only_data_in_data_subnets(stacks: Stacks) -> None:
    found = list(_subnets(stacks))
    assert [kind for kind, _ in found].count("application") == len(read_services())
    assert all(kinds == {kind} for kind, kinds in found), found


@promise(moved=setting("AWS::EC2::Subnet", "AvailabilityZone", "us-east-1a"), gone=without("AWS::EC2::Subnet"))
def test_there_are_three_kinds_of_subnet_in_each_zone_of_the_settings(stacks: Stacks) -> None:
    kinds = [
        (subnet_kind(name), r["Properties"]["AvailabilityZone"])
        for name, r in stacks["Network"].resources("AWS::EC2::Subnet").items()
    ]
    wanted = [(kind, zone) for kind in ("public", "application", "data") for zone in stacks.settings.network.zones]
    assert sorted(kinds) == sorted(wanted)


@promise(elsewhere=setting("AWS::EC2::Subnet", "CidrBlock", "10.30.200.0/24"))
def test_the_addresses_that_the_backend_believes_are_those_of_the_load_balancer(stacks: Stacks) -> None:
    public = [
        r["Properties"]["CidrBlock"]
        for name, r in stacks["Network"].resources("AWS::EC2::Subnet").items()
        if subnet_kind(name) == "public"
    ]
    assert stacks.settings.service_values()["settings.trusted_proxies"] == ",".join(public)


@promise(
    rejects_alone=setting("AWS::EC2::FlowLog", "TrafficType", "REJECT"),
    gone=without("AWS::EC2::FlowLog"),
    plain=without("AWS::Logs::LogGroup", "KmsKeyId"),
    one_subnet=setting("AWS::EC2::FlowLog", "ResourceType", "Subnet"),
    anybody=without("AWS::IAM::Role", "AssumeRolePolicyDocument.Statement.0.Condition"),
    mute=without("AWS::IAM::Policy"),
)
def test_flow_logs_write_down_all_traffic_into_an_encrypted_group(stacks: Stacks) -> None:
    network = stacks["Network"]
    log = network.only("AWS::EC2::FlowLog")
    (vpc,) = network.resources("AWS::EC2::VPC")
    assert (log["TrafficType"], log["ResourceType"], log["ResourceId"]) == ("ALL", "VPC", {"Ref": vpc})
    group = network.resources("AWS::Logs::LogGroup")[reference(log["LogGroupName"])]["Properties"]
    (key,) = network.resources("AWS::KMS::Key")
    assert group.get("KmsKeyId") == {"Fn::GetAtt": [key, "Arn"]}
    writer = reference(log["DeliverLogsPermissionArn"])
    (trust,) = network.resources("AWS::IAM::Role")[writer]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust.get("Condition") == {"StringEquals": {"aws:SourceAccount": stacks.settings.account.id}}
    policies = network.properties("AWS::IAM::Policy")
    allowed = [s for p in policies if {"Ref": writer} in p["Roles"] for s in p["PolicyDocument"]["Statement"]]
    assert {action for s in allowed for action in s["Action"]} >= {"logs:CreateLogStream", "logs:PutLogEvents"}
