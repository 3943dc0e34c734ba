"""What keeps data: what is left of it when its resource goes, who watches, what is set up around it."""

from collections.abc import Iterator
from typing import Final

from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.posture.settings import NO, YES
from infra.assurance.transport.values import at, known, read, tables, texts, truth

STATEFUL: Final = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::Cognito::UserPool",
        "AWS::DocDB::DBCluster",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::EFS::FileSystem",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Elasticsearch::Domain",
        "AWS::FSx::FileSystem",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup",
        "AWS::MSK::Cluster",
        "AWS::Neptune::DBCluster",
        "AWS::OpenSearchService::Domain",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }
)
"""Types whose data goes with them, unless their template says otherwise."""

PARAMETERS: Final = frozenset({"AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup"})
_LOGS_STATEMENTS: Final = {
    "log_statement": {"none"},
    "log_min_duration_statement": {"-1"},
    "log_min_duration_sample": {"-1"},
    "general_log": {"0", "off"},
    "slow_query_log": {"0", "off"},
}
"""By parameter: the values with which it logs no statement."""
_SNAPSHOT_BY_DEFAULT: Final = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
SEARCH: Final = frozenset({"AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain"})


def of_removal(resource: Resource) -> Iterator[tuple[str, str]]:
    """What is left when the resource leaves its template, or is replaced.

    <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
    """
    snapshot = resource.type in _SNAPSHOT_BY_DEFAULT and not resource.value("DBClusterIdentifier")
    unset = "Snapshot" if snapshot or resource.type == "AWS::RDS::DBCluster" else "Delete"
    removed = str(resource.body.get("DeletionPolicy", unset))
    replaced = str(resource.body.get("UpdateReplacePolicy", "Delete"))
    yield "when removed or replaced", removed if removed == replaced else f"{removed}, {replaced}"


def of_search(domain: Resource) -> Iterator[tuple[str, str]]:
    """<https://docs.aws.amazon.com/opensearch-service/latest/developerguide/security.html>."""
    yield "in a VPC", YES if texts(read(domain, "VPCOptions.SubnetIds")) else NO
    for quality, path in (
        ("encrypted between nodes", "NodeToNodeEncryptionOptions.Enabled"),
        ("HTTPS only", "DomainEndpointOptions.EnforceHTTPS"),
    ):
        yield quality, YES if truth(domain, path, default=False) else NO
    if truth(domain, "AdvancedSecurityOptions.Enabled", default=False):
        yield "fine-grained access", YES
    if truth(domain, "AdvancedSecurityOptions.AnonymousAuthEnabled", default=False):
        yield "anonymous sign-in", YES


def of_secret(model: Model, secret: Resource) -> Iterator[tuple[str, str]]:
    """Whether something rotates it, and to which other regions it is copied."""
    for replica in tables(secret.value("ReplicaRegions")):
        yield "copied to", str(replica.get("Region"))
    for schedule in model.of_type("AWS::SecretsManager::RotationSchedule"):
        if model.find(schedule.value("SecretId"), secret.type) is secret:
            days = read(schedule, "RotationRules.AutomaticallyAfterDays")
            expression = read(schedule, "RotationRules.ScheduleExpression")
            yield "rotated", f"every {days} days" if days else str(expression or "when it is asked for")
            return
    yield "rotated", "by nothing in the templates"


def of_parameters(group: Resource) -> Iterator[tuple[str, str]]:
    """Parameters of a database that write what people ask and store into its log: facts only if they do.

    <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.html>
    """
    for name, quiet in _LOGS_STATEMENTS.items():
        value = at(group.value("Parameters"), name)
        if value is not None and known(value, group, name).lower() not in quiet:
            yield "statements in the log", f"{name} {value}"


def of_vault(vault: Resource) -> Iterator[tuple[str, str]]:
    """<https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html>."""
    lock = vault.value("LockConfiguration")
    days = at(lock, "MinRetentionDays")
    grace = "" if at(lock, "ChangeableForDays") is not None else ", may be unlocked"
    yield "lock", f"at least {days or 0} days{grace}" if lock else "none"


def of_plan(model: Model, plan: Resource) -> Iterator[tuple[str, str]]:
    """How long each rule of a backup plan keeps what it backs up, and where."""
    for rule in tables(read(plan, "BackupPlan.BackupPlanRule")):
        kept = at(rule, "Lifecycle.DeleteAfterDays")
        copies = tables(rule.get("CopyActions"))
        vaults = [rule.get("TargetBackupVault"), *(copy.get("DestinationBackupVaultArn") for copy in copies)]
        found = [model.find(vault, "AWS::Backup::BackupVault", near=plan) for vault in vaults]
        named = [there.name if there else str(vault) for vault, there in zip(vaults, found, strict=True)]
        yield f"rule {rule.get('RuleName')}", f"{f'{kept} days' if kept else 'for ever'} in {', '.join(named)}"
