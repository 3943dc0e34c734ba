"""How well a resource is protected from loss, property by property, as something that can be compared.

A strength is a number, or a set of which a larger one includes the smaller. What only a deployment knows has none.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias, cast

from infra.assurance.model.files import Json
from infra.assurance.model.identity import is_unknown

Strength: TypeAlias = "float | frozenset[str]"

_YES: Final = {"true", "enabled", "active", "immutable"}
_NO: Final = {"false", "disabled", "inactive", "suspended", "mutable", "replicating"}
_LOCKS: Final = {"GOVERNANCE": 1.0, "COMPLIANCE": 2.0}


@dataclass(frozen=True, slots=True)
class Protection:
    """One property that protects. `path` leads to it below the properties, `*` to every item of a list."""

    path: str
    strength: Callable[[Sequence[Json]], Strength]
    types: frozenset[str] = frozenset()
    """Those it has this meaning for; none: all that hold data."""


def _on(*, default: bool) -> Callable[[Sequence[Json]], Strength]:
    return lambda values: min((float(_flag(value)) for value in values), default=float(default))


def _flag(value: Json) -> bool:
    text = str(value).lower()
    if text not in _YES | _NO:
        raise ValueError(f"{value} is neither on nor off")
    return text in _YES


def _off(*, default: bool) -> Callable[[Sequence[Json]], Strength]:
    return lambda values: min((float(not _flag(value)) for value in values), default=float(not default))


def _more(default: float, *, forever: float | None = None) -> Callable[[Sequence[Json]], Strength]:
    """A number, more is stronger; of several the least counts. `forever` is the number that stands for no end."""

    def strength(values: Sequence[Json]) -> Strength:
        return min((inf if float(value) == forever else float(value) for value in values), default=default)

    return strength


def _less(default: float) -> Callable[[Sequence[Json]], Strength]:
    return lambda values: -max((float(value) for value in values), default=default)


def _lock(values: Sequence[Json]) -> Strength:
    return min((_LOCKS[value] for value in values), default=0.0)


def _there(values: Sequence[Json]) -> Strength:
    return float(any(value not in (None, {}, []) for value in values))


def _items(values: Sequence[Json]) -> Strength:
    return frozenset(json.dumps(value, sort_keys=True) for value in values)


def _denied(values: Sequence[Json]) -> Strength:
    statements = [s for value in values for s in _listed(_document(value).get("Statement", []))]
    return _items([statement for statement in statements if statement.get("Effect") == "Deny"])


def _document(value: Json) -> dict[str, Json]:
    return json.loads(value) if isinstance(value, str) else value


def _listed(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [value]


def _kept(path: str) -> Callable[[Sequence[Json]], Strength]:
    """After how many days the first of the lifecycle rules that are in force deletes something."""

    def strength(rules: Sequence[Json]) -> Strength:
        days = (day for rule in rules if _flag(rule["Status"]) for day in values_at(rule, path))
        return min((float(day) for day in days), default=inf)

    return strength


_BUCKET: Final = frozenset({"AWS::S3::Bucket"})
_KEY: Final = frozenset({"AWS::KMS::Key", "AWS::KMS::ReplicaKey"})
_TABLES: Final = frozenset({"AWS::DynamoDB::GlobalTable"})
_SERIES: Final = frozenset({"AWS::Timestream::Table"})
_VAULT: Final = frozenset({"AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault"})
_DATABASES: Final = frozenset({
    "AWS::DocDB::DBCluster", "AWS::DocDBElastic::Cluster", "AWS::Neptune::DBCluster", "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
})  # fmt: skip

# Defaults are those of the CloudFormation template reference:
# <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>.
PROTECTIONS: Final = (
    Protection("DeletionProtection", _on(default=False)),
    # Of these it is on where nothing is said.
    Protection("DeletionProtection", _on(default=True), frozenset({"AWS::NeptuneGraph::Graph", "AWS::QLDB::Ledger"})),
    Protection("DeletionProtectionEnabled", _on(default=False)),
    Protection("TerminationProtectionEnabled", _on(default=True), frozenset({"AWS::CloudTrail::EventDataStore"})),
    # Backups, and how long anything is kept.
    Protection("BackupRetentionPeriod", _more(1), _DATABASES),
    Protection("BackupRetention", _on(default=False), frozenset({"AWS::Lightsail::Database"})),
    Protection("DeleteAutomatedBackups", _off(default=True), _DATABASES),
    Protection("SnapshotRetentionLimit", _more(0)),
    Protection("AutomatedSnapshotRetentionPeriod", _more(1)),
    Protection("ManualSnapshotRetentionPeriod", _more(inf, forever=-1)),
    Protection("RetentionPeriodHours", _more(24)),
    Protection("RetentionPeriod", _more(366), frozenset({"AWS::CloudTrail::EventDataStore"})),
    Protection("RetentionInDays", _more(inf), frozenset({"AWS::Logs::LogGroup"})),
    Protection("RetentionDays", _more(inf, forever=0), frozenset({"AWS::Events::Archive"})),
    Protection("DataRetentionInHours", _more(0), frozenset({"AWS::KinesisVideo::Stream"})),
    Protection("BackupRetentionPolicy.Value", _more(90), frozenset({"AWS::CloudHSM::Cluster"})),
    Protection("RetentionProperties.MemoryStoreRetentionPeriodInHours", _more(6), _SERIES),
    Protection("RetentionProperties.MagneticStoreRetentionPeriodInDays", _more(73_000), _SERIES),
    Protection("MessageRetentionPeriod", _more(345_600), frozenset({"AWS::SQS::Queue"})),
    Protection("BackupPolicy.Status", _on(default=False), frozenset({"AWS::EFS::FileSystem"})),
    Protection("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", _on(default=False)),
    Protection("PointInTimeRecoverySpecification.RecoveryPeriodInDays", _more(35)),
    Protection("PointInTimeRecoveryEnabled", _on(default=False), frozenset({"AWS::Cassandra::Table"})),
    Protection("Replicas.*.DeletionProtectionEnabled", _on(default=False), _TABLES),
    Protection("Replicas.*.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", _on(default=False), _TABLES),
    Protection("Replicas.*.Region", _items, _TABLES),
    Protection("ReplicaRegions.*.Region", _items, frozenset({"AWS::SecretsManager::Secret"})),
    Protection("BackupPlan.BackupPlanRule.*.RuleName", _items, frozenset({"AWS::Backup::BackupPlan"})),
    Protection("BackupPlan.BackupPlanRule.*.TargetBackupVault", _items, frozenset({"AWS::Backup::BackupPlan"})),
    Protection("BackupPlan.BackupPlanRule.*.Lifecycle.DeleteAfterDays", _more(inf, forever=-1),
               frozenset({"AWS::Backup::BackupPlan"})),
    Protection("BackupPlan.BackupPlanRule.*.CopyActions.*.DestinationBackupVaultArn", _items,
               frozenset({"AWS::Backup::BackupPlan"})),
    Protection("BackupPlan.BackupPlanRule.*.CopyActions.*.Lifecycle.DeleteAfterDays", _more(inf, forever=-1),
               frozenset({"AWS::Backup::BackupPlan"})),
    Protection("BackupSelection.Resources.*", _items, frozenset({"AWS::Backup::BackupSelection"})),
    # Locks: what nobody, or few, can delete before its time.
    Protection("LockConfiguration", _there, _VAULT),
    Protection("LockConfiguration.MinRetentionDays", _more(0), _VAULT),
    Protection("LockConfiguration.ChangeableForDays", _there, _VAULT),
    Protection("MinRetentionDays", _more(0), _VAULT),
    Protection("AccessPolicy", _denied, _VAULT),
    Protection("ObjectLockEnabled", _on(default=False), _BUCKET),
    Protection("ObjectLockConfiguration.Rule.DefaultRetention.Mode", _lock, _BUCKET),
    Protection("ObjectLockConfiguration.Rule.DefaultRetention.Days", _more(0), _BUCKET),
    Protection("ObjectLockConfiguration.Rule.DefaultRetention.Years", _more(0), _BUCKET),
    Protection("ImageTagMutability", _on(default=False), frozenset({"AWS::ECR::Repository"})),
    # Buckets and file systems.
    Protection("VersioningConfiguration.Status", _on(default=False), _BUCKET),
    Protection("LifecycleConfiguration.Rules.*", _kept("ExpirationInDays"), _BUCKET),
    Protection("LifecycleConfiguration.Rules.*", _kept("NoncurrentVersionExpiration.NoncurrentDays"), _BUCKET),
    Protection("LifecycleConfiguration.Rules.*", _kept("NoncurrentVersionExpirationInDays"), _BUCKET),
    Protection("ReplicationConfiguration.Rules.*.Destination.Bucket", _items, _BUCKET),
    Protection("EmptyOnDelete", _off(default=False), frozenset({"AWS::ECR::Repository"})),
    Protection("FileSystemProtection.ReplicationOverwriteProtection", _on(default=True),
               frozenset({"AWS::EFS::FileSystem"})),
    # Keys.
    Protection("Enabled", _on(default=True), _KEY),
    Protection("EnableKeyRotation", _on(default=False), _KEY),
    Protection("RotationPeriodInDays", _less(365), _KEY),
    Protection("PendingWindowInDays", _more(30), _KEY),
)  # fmt: skip
"""Every one that is known."""


def values_at(properties: Json, path: str) -> list[Json]:
    """The values where a path (`.` between its parts, `*` for every item) leads; none where nothing stands."""
    found: list[Json] = [properties]
    for part in path.split("."):
        found = [inner for value in found for inner in _below(value, part)]
    return found


def _below(value: Json, part: str) -> list[Json]:
    if part != "*":
        inner = cast("dict[str, Json]", value).get(part) if isinstance(value, dict) else None
        return [] if inner is None else [inner]
    if isinstance(value, dict):
        return list(cast("dict[str, Json]", value).values())
    return _listed(value)


def weaker(before: Sequence[Json], after: Sequence[Json], protection: Protection) -> bool:
    """Whether what protects is less than it was.

    Raises:
        ValueError: one of the values is known only to a deployment, or has no place in the order.
    """
    if unknown := [value for value in (*before, *after) if is_unknown(value)]:
        raise ValueError(f"{unknown[0]} is known only to a deployment")
    try:
        return not _at_least(protection.strength(after), protection.strength(before))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{before} and {after} cannot be compared") from error


def _at_least(one: Strength, other: Strength) -> bool:
    if isinstance(one, frozenset):
        return isinstance(other, frozenset) and one >= other
    return not isinstance(other, frozenset) and one >= other
