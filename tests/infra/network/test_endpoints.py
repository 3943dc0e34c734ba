"""Endpoints serve this account's own things, and every task has those that it needs."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from infra.preflight.checks.endpoints import endpoint_zones as asked_for
from infra.services import read_services
from tests.infra.network.read import (
    by_prefix_list,
    endpoints,
    groups,
    named,
    subnet_kind,
)
from tests.infra.promise import Stacks, adding, promise, setting, without
from tests.infra.template import Json, as_list, reference


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
            assert [named(groups(stacks), group) for group in endpoint["SecurityGroupIds"]] == ["endpoints"]


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
