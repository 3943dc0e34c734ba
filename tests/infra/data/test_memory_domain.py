"""The memory: private, encrypted on every hop, upgraded in place, open to the AI core alone."""

from fnmatch import fnmatchcase
from typing import Any

from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

DOMAIN = "AWS::OpenSearchService::Domain"


def _resource(stacks: Stacks) -> Json:
    ((_, resource),) = stacks["Data"].resources(DOMAIN).items()
    return resource


def _domain(stacks: Stacks) -> Json:
    return _resource(stacks)["Properties"]


def _replaced_by_a_newer_engine(stacks: Stacks) -> None:
    _resource(stacks).pop("UpdatePolicy")


def _allowed_without_condition(stacks: Stacks) -> None:
    for statement in _domain(stacks)["AccessPolicies"]["Statement"]:
        if statement["Effect"] == "Allow":
            statement.pop("Condition")


def _only_allows(stacks: Stacks) -> None:
    policy = _domain(stacks)["AccessPolicies"]
    policy["Statement"] = [s for s in policy["Statement"] if s["Effect"] == "Allow"]


def _one_more(stacks: Stacks) -> None:
    for statement in _domain(stacks)["AccessPolicies"]["Statement"]:
        for condition in statement["Condition"].values():
            condition["aws:PrincipalArn"].append("arn:aws:iam::777788889999:role/sanctum-prod-backend")


@promise(
    removed=_replaced_by_a_newer_engine,
    engine=setting(DOMAIN, "EngineVersion", "OpenSearch_2.19"),
)
def test_a_newer_engine_upgrades_the_domain_and_does_not_replace_it(stacks: Stacks) -> None:
    assert _resource(stacks).get("UpdatePolicy") == {"EnableVersionUpgrade": True}
    assert _domain(stacks)["EngineVersion"] == "OpenSearch_3.5"  # the server that the tests run


@promise(
    http=setting(DOMAIN, "DomainEndpointOptions.EnforceHTTPS", value=False),
    http_unset=without(DOMAIN, "DomainEndpointOptions.EnforceHTTPS"),
    tls=setting(DOMAIN, "DomainEndpointOptions.TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07"),
    tls_unset=without(DOMAIN, "DomainEndpointOptions.TLSSecurityPolicy"),
    nodes=setting(DOMAIN, "NodeToNodeEncryptionOptions.Enabled", value=False),
    nodes_unset=without(DOMAIN, "NodeToNodeEncryptionOptions"),
)
def test_every_hop_to_and_in_the_memory_is_tls_1_2_or_newer(stacks: Stacks) -> None:
    domain = _domain(stacks)
    assert domain["DomainEndpointOptions"] == {
        "EnforceHTTPS": True,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
    }
    assert domain.get("NodeToNodeEncryptionOptions") == {"Enabled": True}


@promise(
    public=without(DOMAIN, "VPCOptions"),
    other_subnets=setting(DOMAIN, "VPCOptions.SubnetIds.0", {"Ref": "VpcpublicSubnet1Subnet"}),
    too_few_subnets=setting(DOMAIN, "VPCOptions.SubnetIds", [{"Ref": "VpcdataSubnet1Subnet"}]),
    zones=setting(DOMAIN, "ClusterConfig.ZoneAwarenessConfig.AvailabilityZoneCount", 2),
    nodes=setting(DOMAIN, "ClusterConfig.InstanceCount", 4),
    one_zone=setting(DOMAIN, "ClusterConfig.ZoneAwarenessEnabled", value=False),
    standby=setting(DOMAIN, "ClusterConfig.MultiAZWithStandbyEnabled", value=True),
)
def test_the_memory_has_equally_many_nodes_in_the_data_subnet_of_each_of_its_zones(stacks: Stacks) -> None:
    """CloudFormation and the linters let pass what OpenSearch Service refuses: each zone needs its subnet."""
    domain, settings = _domain(stacks), stacks.settings.memory
    config: Json = domain["ClusterConfig"]
    subnets: list[Any] = domain.get("VPCOptions", {}).get("SubnetIds", [])
    zones = 1 if settings.nodes == 1 else len(stacks.settings.network.zones)
    assert len(subnets) == zones
    assert all("dataSubnet" in reference(subnet) for subnet in subnets)
    assert config["InstanceCount"] == settings.nodes
    assert config["InstanceCount"] % zones == 0
    assert config["ZoneAwarenessEnabled"] is (zones > 1)
    assert config.get("ZoneAwarenessConfig") == ({"AvailabilityZoneCount": zones} if zones > 1 else None)
    # Needs three dedicated master nodes, and a t3 cannot have it.
    assert config["MultiAZWithStandbyEnabled"] is False


@promise(
    small=setting(DOMAIN, "EBSOptions.VolumeSize", 5),
    old_disk=setting(DOMAIN, "EBSOptions.VolumeType", "gp2"),
    no_disk=setting(DOMAIN, "EBSOptions.EBSEnabled", value=False),
)
def test_a_node_has_the_disk_in_the_settings_and_ten_gib_at_least(stacks: Stacks) -> None:
    disk: Json = _domain(stacks)["EBSOptions"]
    assert disk == {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": stacks.settings.memory.volume_gib}
    assert disk["VolumeSize"] >= 10


@promise(
    everybody=_allowed_without_condition,
    whoever_iam_allows=_only_allows,
    the_backend_too=_one_more,
    open=without(DOMAIN, "AccessPolicies"),
    users_of_its_own=setting(DOMAIN, "AdvancedSecurityOptions", {"Enabled": True, "InternalUserDatabaseEnabled": True}),
)
def test_the_memory_admits_the_roles_of_the_ai_core_and_nobody_else_whatever_iam_allows(stacks: Stacks) -> None:
    domain = _domain(stacks)
    prefix = stacks.settings.resource_name("ai-core")
    expected = {prefix, f"{prefix}-prepare-memory"}
    statements = {s["Effect"]: s for s in domain.get("AccessPolicies", {}).get("Statement", [])}
    assert set(statements) == {"Allow", "Deny"}
    for effect, condition in (("Allow", "ArnEquals"), ("Deny", "ArnNotEquals")):
        arns = statements[effect].get("Condition", {}).get(condition, {}).get("aws:PrincipalArn", [])
        assert {arn.rpartition("/")[2] for arn in arns} == expected, effect
        assert statements[effect]["Action"] == "es:ESHttp*"
        assert statements[effect]["Resource"].endswith(f"domain/{domain['DomainName']}/*")
    assert statements["Deny"]["Principal"] == {"AWS": "*"}
    assert expected <= {role.get("RoleName") for role in stacks["Compute"].properties("AWS::IAM::Role")}
    assert "AdvancedSecurityOptions" not in domain


def _may_log_later(stacks: Stacks) -> None:
    _resource(stacks)["DependsOn"] = []


def _not_for_the_domain(stacks: Stacks) -> None:
    for policy in stacks["Data"].properties("AWS::Logs::ResourcePolicy"):
        policy["PolicyDocument"] = str(policy["PolicyDocument"]).replace("aws:SourceArn", "aws:Other")


@promise(
    no_policy=without("AWS::Logs::ResourcePolicy"),
    later=_may_log_later,
    for_any_domain=_not_for_the_domain,
    searches_too=setting(
        DOMAIN, "LogPublishingOptions.SEARCH_SLOW_LOGS", {"Enabled": True, "CloudWatchLogsLogGroupArn": "x"}
    ),
    none=without(DOMAIN, "LogPublishingOptions"),
)
def test_the_memory_may_log_before_it_is_made_and_does_not_log_what_was_searched_for(stacks: Stacks) -> None:
    policies = stacks["Data"].resources("AWS::Logs::ResourcePolicy")
    assert len(policies) == 1
    assert set(policies) <= set(_resource(stacks).get("DependsOn", []))
    text = str(stacks["Data"].only("AWS::Logs::ResourcePolicy")["PolicyDocument"])
    for needed in (
        "es.amazonaws.com",
        "logs:PutLogEvents",
        "logs:CreateLogStream",
        "aws:SourceAccount",
        "aws:SourceArn",
    ):
        assert needed in text
    assert set(_domain(stacks).get("LogPublishingOptions", {})) == {"ES_APPLICATION_LOGS"}


@promise(
    by_hand=setting(DOMAIN, "SoftwareUpdateOptions.AutoSoftwareUpdateEnabled", value=False),
    any_time=setting(DOMAIN, "OffPeakWindowOptions.Enabled", value=False),
    at_noon=setting(DOMAIN, "OffPeakWindowOptions.OffPeakWindow.WindowStartTime.Hours", 12),
)
def test_the_memorys_software_is_updated_by_itself_in_the_quiet_hours(stacks: Stacks) -> None:
    domain = _domain(stacks)
    assert domain["SoftwareUpdateOptions"] == {"AutoSoftwareUpdateEnabled": True}
    window = domain["OffPeakWindowOptions"]
    assert window["Enabled"] is True
    hour = stacks.settings.operations.quiet_hour
    assert window["OffPeakWindow"]["WindowStartTime"] == {"Hours": hour, "Minutes": 0}


def _every_index(stacks: Stacks) -> None:
    for _, resource in stacks.resources("AWS::IAM::Policy"):
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            if str(statement["Action"]).find("es:ESHttp") >= 0:
                statement["Resource"] = "*"


@promise(every_domain=_every_index)
def test_a_role_that_may_use_the_memory_may_use_this_one_alone(stacks: Stacks) -> None:
    own = f"arn:aws:es:{stacks.settings.account.region}:{stacks.settings.account.id}:domain/*-{stacks.settings.name}-*"
    for policy in stacks.properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if any(action.startswith("es:") for action in as_list(statement["Action"])):
                assert all(fnmatchcase(str(r), own) for r in as_list(statement["Resource"]))
