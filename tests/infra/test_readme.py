"""What the README promises of the infrastructure, a test a row by the row's name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.promise import Stacks, adding, promise, setting, without
from tests.infra.synth import ROOT
from tests.infra.template import Json, as_list, strings

TLS_1_2_POLICIES = {"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"}
SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}"),
    re.compile(r"AKIA[0-9A-Z]{16}\b"),
    re.compile(r"ASIA[0-9A-Z]{16}\b"),
    re.compile(r"gh[pousr]_[A-Za-z0-9]{36}"),
    re.compile(r"xox[abp]-[0-9A-Za-z-]{20}"),
)
"""Each begins with what it is looked for by: one pattern for all takes eight times as long."""


def _has_secret(text: str) -> bool:
    return any(secret.search(text) for secret in SECRETS)


def _target(stacks: Stacks, value: Any) -> str:
    """The logical id that ``value`` refers to, also through another stack's export; itself where it is text."""
    if isinstance(value, str):
        return value
    if "Fn::ImportValue" in value:
        for template in stacks.templates.values():
            for output in template.body.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == value["Fn::ImportValue"]:
                    return _target(stacks, output["Value"])
        raise AssertionError(f"no stack exports {value['Fn::ImportValue']}")
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def _targets(stacks: Stacks, values: list[Any]) -> set[str]:
    return {_target(stacks, value) for value in values}


def _own_key(stacks: Stacks, value: Any) -> bool:
    keys = {logical_id for logical_id, _ in stacks.resources("AWS::KMS::Key")}
    return value is not None and _target(stacks, value) in keys


def _subnets(stacks: Stacks, *tiers: str) -> set[str]:
    return {
        logical_id
        for logical_id, subnet in stacks.resources("AWS::EC2::Subnet")
        if any(t["Key"] == "aws-cdk:subnet-name" and t["Value"] in tiers for t in subnet["Properties"]["Tags"])
    }


ANYWHERE = "0.0.0.0/0"
_ROUTE_FROM_DATA = {
    "Type": "AWS::EC2::Route",
    "Properties": {
        "RouteTableId": {"Ref": "VpcdataSubnet1RouteTable"},
        "DestinationCidrBlock": ANYWHERE,
        "GatewayId": {"Ref": "VpcIGW"},
    },
}


@promise(
    task_with_a_public_address=setting(
        "AWS::ECS::Service", "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "ENABLED"
    ),
    nat_gateway=adding("Network", "Nat", {"Type": "AWS::EC2::NatGateway", "Properties": {}}),
    route_from_a_data_subnet=adding("Network", "Out", _ROUTE_FROM_DATA),
    public_database=setting("AWS::RDS::DBInstance", "PubliclyAccessible", value=True),
    database_open_to_the_world=adding(
        "Network",
        "World",
        {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": "sg-1",
                "CidrIp": ANYWHERE,
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
            },
        },
    ),
)
def test_the_vpc_is_isolated(stacks: Stacks) -> None:
    """Nothing but the load balancer is in a subnet with a route to the internet, and nothing else is open to it."""
    public, private = _subnets(stacks, "public"), _subnets(stacks, "application", "data")
    assert public
    assert private
    assert not stacks.settings.has_nat
    assert stacks.properties("AWS::EC2::NatGateway", "AWS::EC2::EgressOnlyInternetGateway", "AWS::EC2::EIP") == []
    tables = {
        _target(stacks, p["RouteTableId"])
        for p in stacks.properties("AWS::EC2::SubnetRouteTableAssociation")
        if _target(stacks, p["SubnetId"]) in public
    }
    ways_out = stacks.properties("AWS::EC2::Route")
    assert {_target(stacks, p["RouteTableId"]) for p in ways_out} == tables
    assert not any(p.get("MapPublicIpOnLaunch") for p in stacks.properties("AWS::EC2::Subnet"))
    for service in stacks.properties("AWS::ECS::Service"):
        place = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert place["AssignPublicIp"] == "DISABLED"
        assert _targets(stacks, place["Subnets"]) <= private
    for p in stacks.properties("AWS::RDS::DBSubnetGroup"):
        assert _targets(stacks, p["SubnetIds"]) <= _subnets(stacks, "data")
    assert {p["PubliclyAccessible"] for p in stacks.properties("AWS::RDS::DBInstance")} == {False}
    for p in stacks.properties("AWS::OpenSearchService::Domain"):
        assert _targets(stacks, p["VPCOptions"]["SubnetIds"]) <= _subnets(stacks, "data")
    open_to_all = [
        (rule.get("CidrIp"), rule["FromPort"], rule["ToPort"])
        for rule in _rules(stacks, "Ingress")
        if rule.get("CidrIp", "").endswith("/0") or rule.get("CidrIpv6")
    ]
    assert open_to_all == [(ANYWHERE, 443, 443)]


def _rules(stacks: Stacks, direction: str) -> Iterator[Json]:
    for group in stacks.properties("AWS::EC2::SecurityGroup"):
        yield from group.get(f"SecurityGroup{direction}", [])
    yield from stacks.properties(f"AWS::EC2::SecurityGroup{direction}")


def _buckets_and_topics_with_tls_alone(stacks: Stacks) -> set[str]:
    found: set[str] = set()
    policies = (
        ("AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::QueuePolicy", "Queues"),
    )
    for kind, key in policies:
        for p in stacks.properties(kind):
            for statement in as_list(p["PolicyDocument"]["Statement"]):
                refused = statement["Effect"] == "Deny" and statement.get("Condition", {}).get("Bool", {})
                if refused and refused.get("aws:SecureTransport") == "false":
                    found |= _targets(stacks, as_list(p[key]))
    return found


@promise(
    plain_listener=setting("AWS::ElasticLoadBalancingV2::Listener", "Protocol", "HTTP"),
    tls_1_0_policy=setting("AWS::ElasticLoadBalancingV2::Listener", "SslPolicy", "ELBSecurityPolicy-2016-08"),
    no_policy=without("AWS::ElasticLoadBalancingV2::Listener", "SslPolicy"),
    plain_last_hop=setting("AWS::ElasticLoadBalancingV2::TargetGroup", "Protocol", "HTTP"),
    plain_calls=setting("AWS::VpcLattice::Listener", "Protocol", "HTTP"),
    plain_last_hop_of_a_call=setting("AWS::VpcLattice::TargetGroup", "Config.Protocol", "HTTP"),
    database_without_tls=setting("AWS::RDS::DBClusterParameterGroup", "Parameters", {"rds.force_ssl": "0"}),
    memory_without_tls=setting("AWS::OpenSearchService::Domain", "DomainEndpointOptions.EnforceHTTPS", value=False),
    memory_with_tls_1_0=setting(
        "AWS::OpenSearchService::Domain", "DomainEndpointOptions.TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07"
    ),
    memory_plain_between_its_nodes=setting(
        "AWS::OpenSearchService::Domain", "NodeToNodeEncryptionOptions.Enabled", value=False
    ),
    bucket_without_tls=without("AWS::S3::BucketPolicy"),
    topic_without_tls=without("AWS::SNS::TopicPolicy"),
)
def test_every_hop_is_tls_1_2_or_newer(stacks: Stacks) -> None:
    """What the containers themselves accept is measured by tests of the services."""
    listeners = stacks.properties("AWS::ElasticLoadBalancingV2::Listener")
    assert {(p["Protocol"], p["Port"]) for p in listeners} == {("HTTPS", 443)}
    assert {p.get("SslPolicy") for p in listeners} <= TLS_1_2_POLICIES
    assert {p["Protocol"] for p in stacks.properties("AWS::ElasticLoadBalancingV2::TargetGroup")} == {"HTTPS"}
    assert {p["Protocol"] for p in stacks.properties("AWS::VpcLattice::Listener")} == {"HTTPS"}
    assert {p["Config"]["Protocol"] for p in stacks.properties("AWS::VpcLattice::TargetGroup")} == {"HTTPS"}
    for p in stacks.properties("AWS::RDS::DBClusterParameterGroup"):
        assert p["Parameters"]["rds.force_ssl"] == "1"
        assert p["Parameters"]["ssl_min_protocol_version"] in {"TLSv1.2", "TLSv1.3"}
    for p in stacks.properties("AWS::OpenSearchService::Domain"):
        assert p["DomainEndpointOptions"]["EnforceHTTPS"] is True
        assert p["DomainEndpointOptions"]["TLSSecurityPolicy"] == "Policy-Min-TLS-1-2-PFS-2023-10"
        assert p["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    stores = {k for k, _ in stacks.resources("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue")}
    assert stores == _buckets_and_topics_with_tls_alone(stacks)


# How each kind of thing that keeps data says with which key.
_KEY_OF = {
    "AWS::Backup::BackupVault": "EncryptionKeyArn",
    "AWS::CloudTrail::Trail": "KMSKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::OpenSearchService::Domain": "EncryptionAtRestOptions.KmsKeyId",
    "AWS::RDS::DBCluster": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}


@promise(
    database_unencrypted=setting("AWS::RDS::DBCluster", "StorageEncrypted", value=False),
    database_without_a_key=without("AWS::RDS::DBCluster", "KmsKeyId"),
    administrators_password_with_a_key_of_aws=without("AWS::RDS::DBCluster", "MasterUserSecret.KmsKeyId"),
    memory_unencrypted=setting("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions.Enabled", value=False),
    log_group_without_a_key=without("AWS::Logs::LogGroup", "KmsKeyId"),
    secret_with_a_key_of_aws=setting("AWS::SecretsManager::Secret", "KmsKeyId", "alias/aws/secretsmanager"),
    topic_without_a_key=without("AWS::SNS::Topic", "KmsMasterKeyId"),
    bucket_without_encryption=without("AWS::S3::Bucket", "BucketEncryption"),
    key_that_is_never_replaced=setting("AWS::KMS::Key", "EnableKeyRotation", value=False),
)
def test_everything_at_rest_is_encrypted_with_keys_of_our_own(stacks: Stacks) -> None:
    """AES-256 by KMS. The bucket of the load balancer's logs alone has S3's key: it cannot write to another."""
    for kind, path in _KEY_OF.items():
        for properties in stacks.properties(kind):
            value: Any = properties
            for part in path.split("."):
                value = value.get(part) if value else None
            assert _own_key(stacks, value), f"{kind}: {properties}"
    for cluster in stacks.properties("AWS::RDS::DBCluster"):
        assert cluster["StorageEncrypted"] is True
        assert _own_key(stacks, cluster["MasterUserSecret"].get("KmsKeyId"))
    for domain in stacks.properties("AWS::OpenSearchService::Domain"):
        assert domain["EncryptionAtRestOptions"]["Enabled"] is True
    with_key_of_s3 = 0
    rule: Json
    for bucket in stacks.properties("AWS::S3::Bucket"):
        (rule,) = bucket.get("BucketEncryption", {"ServerSideEncryptionConfiguration": [{}]})[
            "ServerSideEncryptionConfiguration"
        ]
        how: Json = rule["ServerSideEncryptionByDefault"] if rule else {}
        with_key_of_s3 += how == {"SSEAlgorithm": "AES256"}
        assert how == {"SSEAlgorithm": "AES256"} or _own_key(stacks, how.get("KMSMasterKeyID"))
    assert with_key_of_s3 <= 1
    keys = stacks.properties("AWS::KMS::Key")
    assert keys
    assert all(key.get("EnableKeyRotation") is True for key in keys)


@promise(
    password_in_a_containers_environment=setting(
        "AWS::ECS::TaskDefinition",
        "ContainerDefinitions.0.Environment",
        [{"Name": "DATABASE_PASSWORD", "Value": "correct horse"}],
    ),
    access_key_in_a_containers_environment=setting(
        "AWS::ECS::TaskDefinition",
        "ContainerDefinitions.0.Environment",
        [{"Name": "NOTE", "Value": "AKIA" + "Q" * 16}],
    ),
    password_of_the_database=setting("AWS::RDS::DBCluster", "MasterUserPassword", "correct horse"),
    secret_with_its_value=setting("AWS::SecretsManager::Secret", "SecretString", "correct horse"),
)
def test_no_secret_is_in_a_template(stacks: Stacks) -> None:
    """Nor in git and in the images (below), nor in a log (``tests/support/privacy.py``, in every run of the tests)."""
    for logical_id, resource in stacks.resources():
        properties = resource.get("Properties", {})
        assert {"MasterUserPassword", "SecretString"} & set(properties) == set(), logical_id
        assert [s for s in strings(properties) if _has_secret(s) or "resolve:secretsmanager" in s] == [], logical_id
    for definition in stacks.properties("AWS::ECS::TaskDefinition"):
        for container in definition["ContainerDefinitions"]:
            for pair in container["Environment"]:
                if re.search(r"PASSWORD|TOKEN$|API_KEY|_SECRET$|SIGNING_KEYS", pair["Name"]):
                    assert not isinstance(pair["Value"], str) or pair["Value"].startswith("arn:"), pair["Name"]


def _files(root: Path) -> Iterator[Path]:
    """Every file below ``root`` that is ours, as text."""
    skipped = {".git", ".venv", "node_modules", ".tools", ".sanctum", "build", "__pycache__"}
    for path in root.iterdir():
        if path.is_symlink() or path.name in skipped or (path.is_dir() and path.name.endswith("_cache")):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _with_secrets(root: Path) -> list[Path]:
    return [path for path in _files(root) if _has_secret(path.read_text(errors="ignore"))]


def test_no_secret_is_in_git_or_in_an_image(assembly: Path, tmp_path: Path) -> None:
    (tmp_path / "planted").write_text("key = " + "AKIA" + "Q" * 16)
    assert _with_secrets(tmp_path) == [tmp_path / "planted"]
    assert _with_secrets(ROOT) == []
    for context in (p.parent for p in assembly.glob("asset.*/.dockerignore")):
        assert _with_secrets(context) == []


def _wearers(stacks: Stacks, group: str) -> list[tuple[str, Json]]:
    """What has an address in the security group: type and properties."""
    found: list[tuple[str, Json]] = []
    for _, resource in stacks.resources():
        if not resource["Type"].startswith("AWS::EC2::SecurityGroup"):
            properties = resource.get("Properties", {})
            named = [v for k, v in _pairs(properties) if re.search("SecurityGroups?(Ids?)?$", k)]
            if any(group in _targets(stacks, as_list(value)) for value in named):
                found.append((resource["Type"], properties))
    return found


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]  # JSON
            yield str(key), inner  # pyright: ignore[reportUnknownArgumentType]  # JSON
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]  # JSON
            yield from _pairs(inner)


def _ingress(peer: Json) -> Json:
    return {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Ref": "users"},
            "IpProtocol": "-1",
            **peer,
        },
    }


def _admit(peer: Json) -> Any:
    """Admit ``peer`` to the database."""

    def mutate(stacks: Stacks) -> None:
        (cluster,) = stacks.properties("AWS::RDS::DBCluster")
        rule = _ingress(peer)
        rule["Properties"]["GroupId"] = cluster["VpcSecurityGroupIds"][0]
        stacks["Data"].body["Resources"]["Extra"] = rule

    return mutate


def _load_balancer_wears_the_backends_group(stacks: Stacks) -> None:
    backend = next(
        k for k, r in stacks.resources("AWS::EC2::SecurityGroup") if r["Properties"]["GroupName"].endswith("-backend")
    )
    setting("AWS::ElasticLoadBalancingV2::LoadBalancer", "SecurityGroups.0", {"Ref": backend})(stacks)


@promise(
    whole_vpc=_admit({"CidrIp": "10.0.0.0/8"}),
    whole_vpc_by_ipv6=_admit({"CidrIpv6": "fd00::/8"}),
    prefix_list=_admit({"SourcePrefixListId": "pl-1"}),
    another_group=_admit({"SourceSecurityGroupId": "sg-1"}),
    load_balancer_in_the_backends_group=_load_balancer_wears_the_backends_group,
)
def test_only_the_backend_and_its_one_off_tasks_reach_the_database(stacks: Stacks) -> None:
    (cluster,) = stacks.properties("AWS::RDS::DBCluster")
    (group,) = _targets(stacks, cluster["VpcSecurityGroupIds"])
    own = next(r["Properties"] for k, r in stacks.resources("AWS::EC2::SecurityGroup") if k == group)
    rules = own.get("SecurityGroupIngress", []) + [
        p for p in stacks.properties("AWS::EC2::SecurityGroupIngress") if _target(stacks, p["GroupId"]) == group
    ]
    assert {
        _target(stacks, rule["SourceSecurityGroupId"]) if "SourceSecurityGroupId" in rule else str(rule)
        for rule in rules
    } == {
        next(
            k
            for k, r in stacks.resources("AWS::EC2::SecurityGroup")
            if r["Properties"]["GroupName"].endswith("-backend")
        )
    }
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [("tcp", 5432, 5432)]
    backend = _target(stacks, rules[0]["SourceSecurityGroupId"])
    families = {k: r["Properties"]["Family"] for k, r in stacks.resources("AWS::ECS::TaskDefinition")}
    wearers = _wearers(stacks, backend)
    assert {kind for kind, _ in wearers} == {"AWS::ECS::Service", "Custom::RunTask", "AWS::Scheduler::Schedule"}
    for _, properties in wearers:
        (task,) = [v for k, v in _pairs(properties) if k in {"TaskDefinition", "TaskDefinitionArn"}]
        assert families[_target(stacks, task)].startswith(f"sanctum-{stacks.settings.name}-backend")


@promise(
    old_tasks_end_first=setting("AWS::ECS::Service", "DeploymentConfiguration.MinimumHealthyPercent", 50),
    no_room_for_the_new=setting("AWS::ECS::Service", "DeploymentConfiguration.MaximumPercent", 100),
    no_way_back=setting("AWS::ECS::Service", "DeploymentConfiguration.DeploymentCircuitBreaker.Rollback", value=False),
    no_alarms=without("AWS::ECS::Service", "DeploymentConfiguration.Alarms"),
    alarms_that_only_tell=setting("AWS::ECS::Service", "DeploymentConfiguration.Alarms.Rollback", value=False),
    streams_cut_off=setting(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "TargetGroupAttributes",
        [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
    ),
    size_reset_at_each_deployment=setting("AWS::ECS::Service", "DesiredCount", 1),
    schema_after_the_new_version=without("AWS::ECS::Service", "LaunchType"),
)
def test_a_new_version_takes_over_without_downtime(stacks: Stacks) -> None:
    for logical_id, service in stacks.resources("AWS::ECS::Service"):
        properties = service["Properties"]
        configuration = properties["DeploymentConfiguration"]
        assert (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"]) == (100, 200)
        assert configuration["DeploymentCircuitBreaker"] == {
            "Enable": True,
            "Rollback": True,
            "ResetOnHealthyTask": False,
        }
        if stacks.settings.compute.watched:
            alarms = configuration.get("Alarms", {})
            assert (alarms.get("Enable"), alarms.get("Rollback")) == (True, True)
            assert len(alarms["AlarmNames"]) >= 3
        assert "DesiredCount" not in properties
        assert properties.get("LaunchType", "") == "FARGATE" or "CapacityProviderStrategy" in properties
        first = [d for d in as_list(service["DependsOn"]) if "run" in d]
        assert first, f"{logical_id} does not wait for its one-off tasks"
    longest = max(
        c["StopTimeout"] for p in stacks.properties("AWS::ECS::TaskDefinition") for c in p["ContainerDefinitions"]
    )
    for group in stacks.properties("AWS::ElasticLoadBalancingV2::TargetGroup"):
        attributes = {a["Key"]: a["Value"] for a in group["TargetGroupAttributes"]}
        assert int(attributes["deregistration_delay.timeout_seconds"]) >= longest


def _in_one_zone(stacks: Stacks) -> None:
    for service in stacks.properties("AWS::ECS::Service"):
        place = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        place["Subnets"] = place["Subnets"][:1]


def _without_readers(stacks: Stacks) -> None:
    instances = list(stacks["Data"].resources("AWS::RDS::DBInstance"))
    for logical_id in instances[1:]:
        del stacks["Data"].body["Resources"][logical_id]


@promise(
    nobody_asks_whether_a_task_lives=without("AWS::ECS::TaskDefinition", "ContainerDefinitions.0.HealthCheck"),
    targets_not_asked=setting("AWS::ElasticLoadBalancingV2::TargetGroup", "HealthCheckEnabled", value=False),
    one_task=setting("AWS::ApplicationAutoScaling::ScalableTarget", "MinCapacity", 1),
    one_zone=_in_one_zone,
    no_reader=_without_readers,
    memory_in_one_zone=setting("AWS::OpenSearchService::Domain", "ClusterConfig.ZoneAwarenessEnabled", value=False),
)
def test_what_dies_comes_back_by_itself(stacks: Stacks) -> None:
    """And outside dev the loss of a zone is survived."""
    definitions = {k: r["Properties"] for k, r in stacks.resources("AWS::ECS::TaskDefinition")}
    for service in stacks.properties("AWS::ECS::Service"):
        (container,) = definitions[_target(stacks, service["TaskDefinition"])]["ContainerDefinitions"]
        assert container.get("HealthCheck", {}).get("Retries", 10) <= 5
        assert container["Essential"] is True
    for group in stacks.properties("AWS::ElasticLoadBalancingV2::TargetGroup"):
        assert group.get("HealthCheckEnabled", True) is True
        assert group["HealthCheckPath"] == "/healthz"
    for group in stacks.properties("AWS::VpcLattice::TargetGroup"):
        assert group["Config"]["HealthCheck"]["Enabled"] is True
    if not stacks.settings.protected:
        return
    zones = len(stacks.settings.network.zones)
    for service in stacks.properties("AWS::ECS::Service"):
        assert len(service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]) == zones
    assert all(p["MinCapacity"] >= 2 for p in stacks.properties("AWS::ApplicationAutoScaling::ScalableTarget"))
    assert len(stacks.properties("AWS::RDS::DBInstance")) >= 2
    for domain in stacks.properties("AWS::OpenSearchService::Domain"):
        assert domain["ClusterConfig"]["ZoneAwarenessEnabled"] is True
        assert domain["ClusterConfig"]["ZoneAwarenessConfig"] == {"AvailabilityZoneCount": zones}


def _not_copied(stacks: Stacks) -> None:
    for plan in stacks.properties("AWS::Backup::BackupPlan"):
        for rule in plan["BackupPlan"]["BackupPlanRule"]:
            rule.pop("CopyActions", None)


@promise(
    a_day_of_backups=setting("AWS::RDS::DBCluster", "BackupRetentionPeriod", 1),
    no_plan=without("AWS::Backup::BackupPlan"),
    nothing_selected=without("AWS::Backup::BackupSelection"),
    no_copy_elsewhere=_not_copied,
    database_that_can_be_deleted=setting("AWS::RDS::DBCluster", "DeletionProtection", value=False),
)
def test_what_people_said_is_backed_up(stacks: Stacks) -> None:
    """The memory can be made again from the database; OpenSearch Service takes snapshots of it each hour by itself."""
    settings = stacks.settings
    (cluster,) = stacks.properties("AWS::RDS::DBCluster")
    assert cluster["BackupRetentionPeriod"] == settings.database.backup_days
    assert bool(cluster.get("DeletionProtection")) == settings.protected
    plans = stacks.properties("AWS::Backup::BackupPlan")
    assert bool(plans) == settings.backup.enabled
    assert len(stacks.properties("AWS::Backup::BackupSelection")) == len(plans)
    for plan in plans:
        (rule,) = plan["BackupPlan"]["BackupPlanRule"]
        assert rule["Lifecycle"]["DeleteAfterDays"] == settings.backup.days
        copies = rule.get("CopyActions", [])
        assert bool(copies) == bool(settings.backup.copy_region)
        assert all(f":{settings.backup.copy_region}:" in str(copy["DestinationBackupVaultArn"]) for copy in copies)
