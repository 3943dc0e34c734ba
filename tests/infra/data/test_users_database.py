"""The user database: private, TLS only, signed in to with IAM, restored to any minute, and never upgraded by itself."""

import re

from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, reference

CLUSTER, INSTANCE, PARAMETERS = "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::DBClusterParameterGroup"


def _cluster(stacks: Stacks) -> Json:
    return stacks["Data"].only(CLUSTER)


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Of times of day, either of which may go over midnight."""
    day = 24 * 60
    return any(one[0] < other[1] + shift and other[0] + shift < one[1] for shift in (-day, 0, day))


def _no_log_groups(stacks: Stacks) -> None:
    for _, resource in stacks.resources(CLUSTER):
        resource["DependsOn"] = []


def _one_log(stacks: Stacks) -> None:
    _cluster(stacks)["EnableCloudwatchLogsExports"] = ["postgresql", "instance"]


def _plain(stacks: Stacks) -> None:
    stacks["Data"].only(PARAMETERS)["Parameters"]["rds.force_ssl"] = "0"


@promise(
    upgraded=setting(CLUSTER, "EngineVersion", "17.9"),
    upgrades_itself=setting(INSTANCE, "AutoMinorVersionUpgrade", value=True),
    default_upgrade=without(INSTANCE, "AutoMinorVersionUpgrade"),
)
def test_the_databases_version_is_the_one_in_the_settings_until_they_change(stacks: Stacks) -> None:
    assert _cluster(stacks)["EngineVersion"] == stacks.settings.database.version
    assert [i.get("AutoMinorVersionUpgrade") for i in stacks.properties(INSTANCE)] == [False] * (
        1 + stacks.settings.database.readers
    )


@promise(
    public=setting(INSTANCE, "PubliclyAccessible", value=True),
    unset=without(INSTANCE, "PubliclyAccessible"),
    subnets=setting("AWS::RDS::DBSubnetGroup", "SubnetIds.0", {"Ref": "VpcpublicSubnet1Subnet"}),
)
def test_the_database_has_no_public_address_and_is_in_the_data_subnets(stacks: Stacks) -> None:
    assert {i.get("PubliclyAccessible") for i in stacks.properties(INSTANCE)} == {False}
    subnets = [reference(s) for s in stacks["Data"].only("AWS::RDS::DBSubnetGroup")["SubnetIds"]]
    assert len(subnets) == len(stacks.settings.network.zones)
    assert all("dataSubnet" in subnet for subnet in subnets)


@promise(
    iam=setting(CLUSTER, "EnableIAMDatabaseAuthentication", value=False),
    own_password=setting(CLUSTER, "ManageMasterUserPassword", value=False),
    password=setting(CLUSTER, "MasterUserPassword", "{{resolve:secretsmanager:x}}"),
)
def test_nobody_has_a_password_of_the_database_but_rds_itself(stacks: Stacks) -> None:
    cluster = _cluster(stacks)
    assert cluster.get("EnableIAMDatabaseAuthentication") is True
    assert cluster.get("ManageMasterUserPassword") is True
    assert "MasterUserPassword" not in cluster


@promise(
    unencrypted=_plain,
    not_forced=setting(PARAMETERS, "Parameters", {"ssl_min_protocol_version": "TLSv1.2"}),
    old=setting(PARAMETERS, "Parameters.ssl_min_protocol_version", "TLSv1.1"),
    unused=without(CLUSTER, "DBClusterParameterGroupName"),
    family=setting(PARAMETERS, "Family", "aurora-postgresql16"),
)
def test_the_database_refuses_what_is_not_tls_1_2(stacks: Stacks) -> None:
    logical_id = reference(_cluster(stacks).get("DBClusterParameterGroupName", ""))
    groups = stacks["Data"].resources(PARAMETERS)
    assert logical_id in groups
    group = groups[logical_id]["Properties"]
    assert group["Family"] == f"aurora-postgresql{stacks.settings.database.version.partition('.')[0]}"
    assert group["Parameters"].get("rds.force_ssl") == "1"
    assert group["Parameters"].get("ssl_min_protocol_version") == "TLSv1.2"


@promise(
    verbose=setting(PARAMETERS, "Parameters.log_error_verbosity", "default"),
    parameters=setting(PARAMETERS, "Parameters.log_parameter_max_length", "-1"),
    parameters_of_errors=without(PARAMETERS, "Parameters.log_parameter_max_length_on_error"),
    statements=setting(PARAMETERS, "Parameters.log_statement", "all"),
    slow_statements=setting(PARAMETERS, "Parameters.log_min_duration_statement", "100"),
)
def test_the_database_logs_no_values(stacks: Stacks) -> None:
    parameters = stacks["Data"].only(PARAMETERS)["Parameters"]
    logged = {
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
    assert {name: parameters.get(name) for name in logged} == logged
    assert {"log_statement", "log_min_duration_statement", "log_min_duration_sample"} & set(parameters) == set()


@promise(
    one_log=_one_log,
    made_by_rds=_no_log_groups,
    no_group=without("AWS::Logs::LogGroup"),
    who_signs_in=setting(PARAMETERS, "Parameters.log_connections", "0"),
)
def test_who_signs_in_to_the_database_and_who_could_not_is_written_to_groups_of_our_own(stacks: Stacks) -> None:
    ((_, resource),) = stacks["Data"].resources(CLUSTER).items()
    exported = resource["Properties"]["EnableCloudwatchLogsExports"]
    assert sorted(exported) == ["iam-db-auth-error", "postgresql"]
    name = resource["Properties"]["DBClusterIdentifier"]
    groups = {
        r["Properties"]["LogGroupName"]: logical_id
        for logical_id, r in stacks["Data"].resources("AWS::Logs::LogGroup").items()
    }
    for log in exported:
        assert groups.get(f"/aws/rds/cluster/{name}/{log}") in resource["DependsOn"]
    assert stacks["Data"].only(PARAMETERS)["Parameters"].get("log_connections") == "1"


@promise(
    shorter=setting(CLUSTER, "BackupRetentionPeriod", 1),
    untagged=setting(CLUSTER, "CopyTagsToSnapshot", value=False),
)
def test_the_database_can_be_restored_to_any_minute_of_the_days_in_the_settings(stacks: Stacks) -> None:
    cluster = _cluster(stacks)
    assert cluster.get("BackupRetentionPeriod") == stacks.settings.database.backup_days
    assert cluster.get("CopyTagsToSnapshot") is True


@promise(
    backup=setting(CLUSTER, "PreferredBackupWindow", "08:30-09:30"),
    chosen_by_aws=without(CLUSTER, "PreferredBackupWindow"),
    maintenance=setting(CLUSTER, "PreferredMaintenanceWindow", "wed:15:00-wed:16:00"),
    instances=without(INSTANCE, "PreferredMaintenanceWindow"),
    instances_at_noon=setting(INSTANCE, "PreferredMaintenanceWindow", "sun:12:00-sun:13:00"),
)
def test_backup_and_maintenance_are_in_the_quiet_hours_and_never_at_the_same_time(stacks: Stacks) -> None:
    cluster, quiet = _cluster(stacks), stacks.settings.operations.quiet_hour * 60
    backup, maintenance = cluster.get("PreferredBackupWindow", ""), cluster.get("PreferredMaintenanceWindow", "")
    assert {i.get("PreferredMaintenanceWindow") for i in stacks.properties(INSTANCE)} == {maintenance}
    assert re.fullmatch(r"(\d\d:\d\d)-(\d\d:\d\d)", backup)
    assert re.fullmatch(r"([a-z]{3}:\d\d:\d\d)-([a-z]{3}:\d\d:\d\d)", maintenance)
    begin, end = (_minutes(t) for t in backup.split("-"))
    first, last = (_minutes(t.partition(":")[2]) for t in maintenance.split("-"))
    end, last = end + 24 * 60 * (end < begin), last + 24 * 60 * (last < first)
    assert not _overlap((begin, end), (first, last))
    assert begin == quiet
    assert 0 < (first - quiet) % (24 * 60) < 10 * 60


@promise(
    mode=setting(CLUSTER, "DatabaseInsightsMode", "standard"),
    kept_shortly=setting(CLUSTER, "PerformanceInsightsRetentionPeriod", 7),
    not_monitored=without(CLUSTER, "MonitoringInterval"),
    an_instance_of_its_own=setting(INSTANCE, "MonitoringInterval", 5),
    switched_off=setting(CLUSTER, "PerformanceInsightsEnabled", value=False),
)
def test_database_insights_has_all_that_its_advanced_mode_needs_or_is_off(stacks: Stacks) -> None:
    """15 months, Performance Insights, and the same Enhanced Monitoring on every instance."""
    cluster = _cluster(stacks)
    if not stacks.settings.database.insights:
        assert "DatabaseInsightsMode" not in cluster
        assert "MonitoringInterval" not in cluster
        return
    assert cluster.get("DatabaseInsightsMode") == "advanced"
    assert cluster.get("PerformanceInsightsEnabled") is True
    assert cluster.get("PerformanceInsightsRetentionPeriod", 0) >= 465
    assert cluster.get("MonitoringInterval") == 60
    assert "Monitoring" in reference(cluster["MonitoringRoleArn"])
    assert not [i for i in stacks.properties(INSTANCE) if "MonitoringInterval" in i]
    assert {i.get("PerformanceInsightsRetentionPeriod") for i in stacks.properties(INSTANCE)} == {465}


def _pause(minutes: int | None) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        scaling = _cluster(stacks)["ServerlessV2ScalingConfiguration"]
        scaling.pop("SecondsUntilAutoPause", None)
        if minutes is not None:
            scaling["SecondsUntilAutoPause"] = minutes * 60

    return mutate


@promise(mutated_in="dev", never=_pause(None), late=_pause(60))
def test_a_database_that_may_pause_does_so_after_five_minutes_and_any_other_never(stacks: Stacks) -> None:
    scaling = _cluster(stacks)["ServerlessV2ScalingConfiguration"]
    settings = stacks.settings.database
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (settings.min_acu, settings.max_acu)
    assert scaling.get("SecondsUntilAutoPause") == (None if settings.min_acu else 300)


@promise(
    lower=setting(INSTANCE, "PromotionTier", 2),
    another_ca=setting(INSTANCE, "CACertificateIdentifier", "rds-ca-ecc384-g1"),
    chosen_by_aws=without(INSTANCE, "CACertificateIdentifier"),
)
def test_a_reader_takes_over_at_the_writers_size_and_with_a_certificate_that_the_backend_knows(stacks: Stacks) -> None:
    instances = stacks.properties(INSTANCE)
    assert sorted(i["PromotionTier"] for i in instances) == [0] + [1] * stacks.settings.database.readers
    assert {i.get("CACertificateIdentifier") for i in instances} == {"rds-ca-rsa2048-g1"}
