"""What people said is encrypted with keys of our own, and no deployment can delete it."""

import itertools
from typing import Any

from infra.settings import read_environment
from tests.infra.template import Template, reference

STATEFUL = (
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::SecretsManager::Secret",
)


def test_every_key_is_replaced_each_year_and_serves_one_purpose(stacks: tuple[Template, ...]) -> None:
    keys = [p for template in stacks for p in template.properties("AWS::KMS::Key")]
    aliases = {p["AliasName"] for template in stacks for p in template.properties("AWS::KMS::Alias")}
    prefix = f"alias/sanctum-{stacks[0].environment}-"
    assert aliases == {prefix + purpose for purpose in ("logs", "users", "memory", "secrets")}
    assert [key["EnableKeyRotation"] for key in keys] == [True] * len(aliases)


def test_every_log_group_is_encrypted_and_kept_as_long_as_the_settings_say(stacks: tuple[Template, ...]) -> None:
    groups = [p for template in stacks for p in template.properties("AWS::Logs::LogGroup")]
    assert len(groups) >= 7
    assert all("LogsKey" in reference(group["KmsKeyId"]) for group in groups)
    days = read_environment(stacks[0].environment).logs.retention_days
    assert {group["RetentionInDays"] for group in groups} == {days}


def test_cloudwatch_may_use_the_logs_key_for_exactly_the_groups_there_are(stacks: tuple[Template, ...]) -> None:
    network = stacks[0]
    (key,) = network.properties("AWS::KMS::Key")
    statement = key["KeyPolicy"]["Statement"][-1]
    allowed = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    patterns = [arn.split(":log-group:")[1] for arn in allowed]
    names = [p["LogGroupName"] for t in stacks for p in t.properties("AWS::Logs::LogGroup")]
    assert all(any(_like(name, pattern) for pattern in patterns) for name in names)
    assert all(pattern.count(network.environment) == 1 for pattern in patterns)
    assert statement["Principal"]["Service"].startswith("logs.")


def _like(name: str, pattern: str) -> bool:
    first, *rest = pattern.split("*")
    if not name.startswith(first):
        return False
    position = len(first)
    for part in rest:
        position = name.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return True


def test_what_holds_data_outlives_its_stack_outside_dev(stacks: tuple[Template, ...]) -> None:
    expected = "Delete" if stacks[0].environment == "dev" else "Retain"
    stateful = list(itertools.chain.from_iterable(t.resources(*STATEFUL).values() for t in stacks))
    assert {r["Type"] for r in stateful} == set(STATEFUL)
    assert {(r["DeletionPolicy"], r["UpdateReplacePolicy"]) for r in stateful} == {(expected, expected)}


def test_stacks_with_data_cannot_be_deleted_outside_dev(network: Template, data: Template) -> None:
    protected = data.environment != "dev"
    assert (network.termination_protection, data.termination_protection) == (protected, protected)


def test_the_user_database_is_encrypted_private_and_signed_in_to_with_iam(data: Template) -> None:
    settings = read_environment(data.environment)
    cluster = data.only("AWS::RDS::DBCluster")
    wanted: dict[str, Any] = {
        "EngineVersion": "17.7",
        "StorageEncrypted": True,
        "EnableIAMDatabaseAuthentication": True,
        "ManageMasterUserPassword": True,
        "EnableCloudwatchLogsExports": ["postgresql"],
        "DeletionProtection": settings.protected,
        "BackupRetentionPeriod": settings.database.backup_days,
    }
    assert {key: cluster[key] for key in wanted} == wanted
    assert "MasterUserPassword" not in cluster
    assert "UsersKey" in reference(cluster["KmsKeyId"])
    assert "SecretsKey" in reference(cluster["MasterUserSecret"]["KmsKeyId"])
    instances = data.properties("AWS::RDS::DBInstance")
    assert len(instances) == 1 + settings.database.readers
    assert {i["PubliclyAccessible"] for i in instances} == {False}
    assert {i["AutoMinorVersionUpgrade"] for i in instances} == {False}
    assert all("dataSubnet" in reference(s) for s in data.only("AWS::RDS::DBSubnetGroup")["SubnetIds"])


def test_the_user_database_refuses_what_is_not_tls_and_logs_no_values(data: Template) -> None:
    parameters = data.only("AWS::RDS::DBClusterParameterGroup")["Parameters"]
    assert parameters == {
        "rds.force_ssl": "1",
        "ssl_min_protocol_version": "TLSv1.2",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def test_the_memory_is_encrypted_everywhere_and_upgraded_in_place(data: Template) -> None:
    ((_, resource),) = data.resources("AWS::OpenSearchService::Domain").items()
    domain = resource["Properties"]
    assert resource["UpdatePolicy"] == {"EnableVersionUpgrade": True}
    assert domain["EncryptionAtRestOptions"]["Enabled"] is True
    assert "MemoryKey" in reference(domain["EncryptionAtRestOptions"]["KmsKeyId"])
    assert domain["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    assert domain["DomainEndpointOptions"] == {
        "EnforceHTTPS": True,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
    }
    zones = len(read_environment(data.environment).network.zones)
    assert len(domain["VPCOptions"]["SubnetIds"]) == zones
    assert domain["ClusterConfig"]["ZoneAwarenessConfig"] == {"AvailabilityZoneCount": zones}
    assert all("dataSubnet" in reference(s) for s in domain["VPCOptions"]["SubnetIds"])
    assert set(domain["LogPublishingOptions"]) == {"ES_APPLICATION_LOGS"}


def test_the_memory_admits_the_roles_of_the_ai_core_alone(data: Template, compute: Template) -> None:
    (statement,) = data.only("AWS::OpenSearchService::Domain")["AccessPolicies"]["Statement"]
    admitted = {arn.rpartition("/")[2] for arn in statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]}
    prefix = f"sanctum-{data.environment}-ai-core"
    assert admitted == {prefix, f"{prefix}-prepare-memory"}
    assert admitted <= {p.get("RoleName") for p in compute.properties("AWS::IAM::Role")}


def test_the_signing_keys_start_empty_and_are_encrypted(data: Template) -> None:
    secret = data.only("AWS::SecretsManager::Secret")
    assert "SecretsKey" in reference(secret["KmsKeyId"])
    assert {"SecretString", "GenerateSecretString"} & set(secret) == set()
