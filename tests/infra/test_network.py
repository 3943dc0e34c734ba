"""The network lets in what it must and leads nowhere else."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from infra.preflight.checks.endpoints import endpoint_zones as asked_for
from infra.services import read_services
from tests.infra.promise import Mutation, Stacks, adding, promise, setting, without
from tests.infra.template import Json, as_list, reference, strings

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
    alone = [(_named(names, p["GroupId"]), p) for p in stacks.properties(f"AWS::EC2::SecurityGroup{direction}")]
    return inline + alone


def _named(names: dict[str, str], group: object) -> str:
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
            ends = (group, _named(names, rule[peer]))
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


def _opening(group: str, direction: str, **rule: object) -> Mutation:
    """Add a rule to the group named ``group``."""

    def mutate(stacks: Stacks) -> None:
        (logical_id,) = (key for key, name in groups(stacks).items() if name == group)
        properties = {"GroupId": {"Fn::GetAtt": [logical_id, "GroupId"]}, "IpProtocol": "tcp", **rule}
        resource = {"Type": f"AWS::EC2::SecurityGroup{direction}", "Properties": properties}
        stacks["Network"].body["Resources"]["Added"] = resource

    return mutate


def _route(subnet: str, **target: object) -> Mutation:
    """Add a route to the first subnet of a kind."""

    def mutate(stacks: Stacks) -> None:
        network = stacks["Network"]
        (table,) = (k for k in network.resources("AWS::EC2::RouteTable") if k.startswith(f"Vpc{subnet}Subnet1"))
        properties = {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": "0.0.0.0/0", **target}
        network.body["Resources"]["Added"] = {"Type": "AWS::EC2::Route", "Properties": properties}

    return mutate


ANYWHERE: Json = {"CidrIp": "0.0.0.0/0", "FromPort": 443, "ToPort": 443}


@promise(
    open_service=_opening("backend", "Ingress", **ANYWHERE),
    open_store=_opening("users", "Ingress", CidrIpv6="::/0", FromPort=5432, ToPort=5432),
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
    anywhere=_opening("backend", "Egress", **ANYWHERE),
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
    core_to_users=_opening(
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
    assert [_named(groups(stacks), group) for group in association.get("SecurityGroupIds", [])] == ["lattice"]
    assert {source for source, to, _ in edges(stacks, "Ingress") if to == "lattice"} == {"backend"}


@promise(
    no_names=setting("AWS::EC2::VPC", "EnableDnsHostnames", value=False),
    no_resolver=setting("AWS::EC2::VPC", "EnableDnsSupport", value=False),
)
def test_lattice_and_the_endpoints_are_found_by_their_names(stacks: Stacks) -> None:
    vpc = stacks["Network"].only("AWS::EC2::VPC")
    assert (vpc["EnableDnsSupport"], vpc["EnableDnsHostnames"]) == (True, True)


OTHER_WAYS_OUT = (
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNGateway",
)


@promise(
    data_routed=_route("data", GatewayId="igw"),
    application_routed=_route("application", GatewayId="igw"),
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


def _statements(endpoint: Json) -> list[Json]:
    return endpoint.get("PolicyDocument", {"Statement": [{"Action": "*", "Resource": "*"}]})["Statement"]


@promise(
    no_policy=without("AWS::EC2::VPCEndpoint", "PolicyDocument"),
    anybody=without("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Condition"),
    anything=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Resource", "*"),
    every_action=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Action", "secretsmanager:*"),
    other_account=setting(
        "AWS::EC2::VPCEndpoint",
        "PolicyDocument.Statement.0.Condition.StringEquals.aws:PrincipalAccount",
        "999999999999",
    ),
)
def test_every_endpoint_allows_named_actions_on_this_accounts_own_things_alone(stacks: Stacks) -> None:
    account = stacks.settings.account.id
    for endpoint in endpoints(stacks).values():
        for statement in _statements(endpoint):
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            assert not any("*" in action for action in actions)
            if "starport" in str(resources):  # a bucket of AWS's
                region = stacks.settings.account.region
                assert (actions, resources) == (
                    ["s3:GetObject"],
                    [f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"],
                )
                continue
            assert statement.get("Condition") == {"StringEquals": {"aws:PrincipalAccount": account}}
            if actions != ["ecr:GetAuthorizationToken"]:  # which is for no resource
                own = (f":{account}:", f"-{account}-", "::foundation-model/")
                assert all(any(part in arn for part in own) for arn in resources), resources


@promise(
    missing=without("AWS::EC2::VPCEndpoint"),
    other_name=setting("AWS::EC2::VPCEndpoint", "PrivateDnsEnabled", value=False),
    other_group=setting("AWS::EC2::VPCEndpoint", "SecurityGroupIds", [{"Ref": "Other"}]),
)
def test_tasks_without_a_way_out_have_every_endpoint_that_they_need_to_start_and_to_answer(stacks: Stacks) -> None:
    settings, found = stacks.settings, endpoints(stacks)
    needed = {"s3"}
    if settings.network.egress == "endpoints":
        needed |= {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"}
        needed |= {"bedrock-runtime"} if settings.model.provider == "bedrock" else set[str]()
    assert found.keys() == needed
    for name, endpoint in found.items():
        if name != "s3":
            assert endpoint["PrivateDnsEnabled"] is True
            assert [_named(groups(stacks), group) for group in endpoint["SecurityGroupIds"]] == ["endpoints"]


@promise(
    one_more=adding(
        "Network",
        "Sts",
        {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"ServiceName": "com.amazonaws.us-east-1.sts"}},
    )
)
def test_the_preflight_asks_for_the_zones_of_every_endpoint(stacks: Stacks) -> None:
    assert endpoints(stacks).keys() == asked_for(stacks.settings).keys() | {"s3"}


@promise(
    fewer=setting("AWS::EC2::VPCEndpoint", "SubnetIds", [{"Ref": "VpcapplicationSubnet1Subnet8B68205B"}]),
    elsewhere=setting("AWS::EC2::VPCEndpoint", "SubnetIds.0", {"Ref": "VpcdataSubnet1Subnet0"}),
)
def test_endpoints_are_in_the_zones_of_the_settings_because_not_every_zone_has_each(stacks: Stacks) -> None:
    network = stacks.settings.network
    zones = {
        name: r["Properties"]["AvailabilityZone"] for name, r in stacks["Network"].resources("AWS::EC2::Subnet").items()
    }
    for name, endpoint in endpoints(stacks).items():
        if name == "s3":
            continue
        general = network.endpoint_zones or network.zones
        wanted = (network.model_endpoint_zones or general) if name == "bedrock-runtime" else general
        assert {subnet_kind(subnet) for subnet in endpoint["SubnetIds"]} == {"application"}
        assert sorted(zones[reference(subnet)] for subnet in endpoint["SubnetIds"]) == sorted(wanted)


@promise(
    unrouted=setting("AWS::EC2::VPCEndpoint", "RouteTableIds", []),
    other_bucket=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Resource", "arn:aws:s3:::other/*"),
    signed_only=setting(
        "AWS::EC2::VPCEndpoint",
        "PolicyDocument.Statement.0.Condition",
        {"StringEquals": {"aws:PrincipalAccount": "777788889999"}},
    ),
    no_egress=without("AWS::EC2::SecurityGroupEgress", "DestinationPrefixListId"),
)
def test_images_can_be_pulled_because_their_layers_bucket_is_reachable_from_every_application_subnet(
    stacks: Stacks,
) -> None:
    endpoint, network = endpoints(stacks)["s3"], stacks["Network"]
    tables = {name for name in network.resources("AWS::EC2::RouteTable") if name.startswith("Vpcapplication")}
    assert {reference(table) for table in endpoint["RouteTableIds"]} == tables
    statement, *_ = _statements(endpoint)
    layers = f"arn:aws:s3:::prod-{stacks.settings.account.region}-starport-layer-bucket/*"
    assert (as_list(statement["Resource"]), statement.get("Condition")) == ([layers], None)
    services = {name.replace("_", "-") for name in read_services()}
    reached = by_prefix_list(stacks, "Egress", stacks.settings.network.s3_prefix_list)
    assert reached == dict.fromkeys(services, 443)


@promise(
    read_only=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.1.Action", ["s3:GetObject"]),
    not_listed=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.2.Resource", "arn:aws:s3:::other"),
    deleting=setting(
        "AWS::EC2::VPCEndpoint",
        "PolicyDocument.Statement.1.Action",
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    ),
    every_bucket=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.1.Resource", "arn:aws:s3:::*"),
    unnamed=setting("AWS::Route53Resolver::FirewallDomainList", "Domains", ["*.example.com"]),
)
def test_exports_of_keys_can_be_written_and_read_from_the_network_and_no_other_bucket(stacks: Stacks) -> None:
    endpoint = endpoints(stacks)["s3"]
    region = stacks.settings.account.region
    bucket = f"sanctum-{stacks.settings.name}-key-exports-{stacks.settings.account.id}-{region}"
    arn = f"arn:aws:s3:::{bucket}"
    assert all(_allows(endpoint, f"s3:{verb}Object", f"{arn}/keys-1") for verb in ("Get", "Put"))
    assert _allows(endpoint, "s3:ListBucket", arn)
    assert not _allows(endpoint, "s3:DeleteObject", f"{arn}/keys-1")
    assert not _allows(endpoint, "s3:PutObject", "arn:aws:s3:::another/keys-1")
    domains = {name for p in stacks.properties("AWS::Route53Resolver::FirewallDomainList") for name in p["Domains"]}
    assert f"{bucket}.s3.{region}.amazonaws.com" in domains


def _allows(endpoint: Json, action: str, arn: str) -> bool:
    return any(
        action in as_list(statement["Action"]) and any(fnmatchcase(arn, p) for p in as_list(statement["Resource"]))
        for statement in _statements(endpoint)
    )


@promise(
    renamed=setting("AWS::Logs::LogGroup", "LogGroupName", "/elsewhere/backend"),
    other_group=setting(
        "AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Resource", "arn:aws:logs:::log-group:/x/*"
    ),
)
def test_every_task_can_write_its_logs_through_the_endpoint(stacks: Stacks) -> None:
    names = {key: r["Properties"]["LogGroupName"] for key, r in stacks.resources("AWS::Logs::LogGroup")}
    account = stacks.settings.account
    used = 0
    for task in stacks.properties("AWS::ECS::TaskDefinition"):
        for container in task["ContainerDefinitions"]:
            group = names[reference(container["LogConfiguration"]["Options"]["awslogs-group"])]
            stream = f"arn:aws:logs:{account.region}:{account.id}:log-group:{group}:log-stream:any"
            used += 1
            if endpoint := endpoints(stacks).get("logs"):
                assert _allows(endpoint, "logs:PutLogEvents", stream)
    assert used


def _secrets(stacks: Stacks) -> Iterator[tuple[str, str]]:
    """What is done with each secret, and its name as AWS makes it."""
    for logical_id, secret in stacks.resources("AWS::SecretsManager::Secret"):
        name = secret["Properties"].get("Name", f"{logical_id}-aB3dE6gH9jK2")
        yield "secretsmanager:GetSecretValue", name
        yield "secretsmanager:PutSecretValue", name
    for cluster in stacks.properties("AWS::RDS::DBCluster"):
        assert cluster["ManageMasterUserPassword"] is True
        yield "secretsmanager:GetSecretValue", "rds!cluster-8a6b4f6e-7f3c-4b58-9d3e-1c2f3a4b5c6d"


@promise(
    fewer=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Resource", []),
    read_only=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.1.Action", "secretsmanager:GetSecretValue"),
    renamed=setting("AWS::SecretsManager::Secret", "Name", "keys"),
    every_secret=setting(
        "AWS::EC2::VPCEndpoint",
        "PolicyDocument.Statement.0.Resource",
        "arn:aws:secretsmanager:us-east-1:777788889999:secret:*",
    ),
)
def test_the_secrets_endpoint_serves_the_environments_secrets_and_no_other(stacks: Stacks) -> None:
    account, endpoint = stacks.settings.account, endpoints(stacks).get("secretsmanager")
    secret = f"arn:aws:secretsmanager:{account.region}:{account.id}:secret:"
    if endpoint:
        for action, name in _secrets(stacks):
            assert _allows(endpoint, action, f"{secret}{name}-Ab1Cd2"), name
        assert not _allows(endpoint, "secretsmanager:GetSecretValue", f"{secret}another-Ab1Cd2")
        assert not _allows(endpoint, "secretsmanager:PutSecretValue", f"{secret}rds!cluster-1-Ab1Cd2")


@promise(
    not_at_all=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.2.Resource", []),
    not_destroyed=setting("AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.2.Action", "secretsmanager:CreateSecret"),
    every_secret=setting(
        "AWS::EC2::VPCEndpoint",
        "PolicyDocument.Statement.2.Resource",
        "arn:aws:secretsmanager:us-east-1:777788889999:secret:*",
    ),
)
def test_keys_of_epochs_can_be_made_read_and_destroyed_through_the_endpoint_and_no_other_secret(
    stacks: Stacks,
) -> None:
    account, endpoint = stacks.settings.account, endpoints(stacks).get("secretsmanager")
    if not endpoint:
        return
    secret = f"arn:aws:secretsmanager:{account.region}:{account.id}:secret:"
    for action in (
        "CreateSecret",
        "DeleteSecret",
        "DescribeSecret",
        "GetSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
    ):
        assert _allows(endpoint, f"secretsmanager:{action}", f"{secret}sanctum-{stacks.settings.name}-epochs/7-Ab1Cd2")
    for action in ("CreateSecret", "DeleteSecret"):
        assert not _allows(endpoint, f"secretsmanager:{action}", f"{secret}SigningKeys-Ab1Cd2")


@promise(
    other_keys=setting(
        "AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Resource", "arn:aws:kms:us-east-1:777788889999:key/other"
    ),
    in_plain=setting(
        "AWS::EC2::VPCEndpoint", "PolicyDocument.Statement.0.Action", ["kms:Decrypt", "kms:GenerateDataKey"]
    ),
)
def test_data_keys_are_made_unseen_and_unwrapped_through_the_endpoint(stacks: Stacks) -> None:
    account, endpoint = stacks.settings.account, endpoints(stacks).get("kms")
    if endpoint:
        key = f"arn:aws:kms:{account.region}:{account.id}:key/mrk-1"
        for action in ("Decrypt", "GenerateDataKeyWithoutPlaintext"):
            assert _allows(endpoint, f"kms:{action}", key)
        assert not _allows(endpoint, "kms:GenerateDataKey", key)


def _domain_list(stacks: Stacks, rule: Json) -> list[str]:
    lists = stacks["Network"].resources("AWS::Route53Resolver::FirewallDomainList")
    return lists[reference(rule["FirewallDomainListId"])]["Properties"]["Domains"]


@promise(
    unassociated=without("AWS::Route53Resolver::FirewallRuleGroupAssociation"),
    other_vpc=setting("AWS::Route53Resolver::FirewallRuleGroupAssociation", "VpcId", "vpc-1"),
    rest_allowed=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Action", "ALERT"),
    reversed=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Priority", 1),
    one_type=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Qtype", "TXT"),
    all_of_aws=setting("AWS::Route53Resolver::FirewallDomainList", "Domains.0", "*.amazonaws.com"),
    all_else=setting("AWS::Route53Resolver::FirewallDomainList", "Domains", ["*.example.com"]),
)
def test_only_names_that_are_needed_can_be_looked_up_so_that_none_carries_anything_out(stacks: Stacks) -> None:
    network, region, account = stacks["Network"], stacks.settings.account.region, stacks.settings.account.id
    (vpc,), (group,) = (
        network.resources(kind) for kind in ("AWS::EC2::VPC", "AWS::Route53Resolver::FirewallRuleGroup")
    )
    association = network.only("AWS::Route53Resolver::FirewallRuleGroupAssociation")
    assert association["VpcId"] == {"Ref": vpc}
    assert reference(association["FirewallRuleGroupId"]) == group
    rules_ = network.only("AWS::Route53Resolver::FirewallRuleGroup")["FirewallRules"]
    allow, block = sorted(rules_, key=lambda rule: rule["Priority"])
    assert (block["Action"], block.get("BlockResponse"), block.get("Qtype")) == ("BLOCK", "NXDOMAIN", None)
    assert (_domain_list(stacks, block), allow["Action"]) == (["*"], "ALLOW")
    model = stacks.settings.model.host or f"bedrock-runtime.{region}.amazonaws.com"
    layers = f"prod-{region}-starport-layer-bucket.s3"
    exports = f"sanctum-{stacks.settings.name}-key-exports-{account}-{region}.s3"
    assert set(_domain_list(stacks, allow)) == {
        model,
        f"api.ecr.{region}.amazonaws.com",
        f"{account}.dkr.ecr.{region}.amazonaws.com",
        *(f"{service}.{region}.amazonaws.com" for service in ("logs", "secretsmanager", "kms", layers, exports)),
        f"{layers}.amazonaws.com",
        f"{exports}.amazonaws.com",
        f"*.{region}.rds.amazonaws.com",
        f"*.{region}.es.amazonaws.com",
        f"*.vpc-lattice-svcs.{region}.on.aws",
    }


@promise(
    inspected=without("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.0.FirewallDomainRedirectionAction")
)
def test_names_that_are_aliases_of_others_resolve_because_their_owner_is_trusted_with_them(stacks: Stacks) -> None:
    rules_ = stacks["Network"].only("AWS::Route53Resolver::FirewallRuleGroup")["FirewallRules"]
    allow = min(rules_, key=lambda rule: rule["Priority"])
    assert allow.get("FirewallDomainRedirectionAction") == "TRUST_REDIRECTION_DOMAIN"
