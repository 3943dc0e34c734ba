"""How every store is encrypted, and with whose key.

A type that may be given a key and has no row in `stores.py` is read by the property that names it (`keyed_types.txt`,
made of CloudFormation's schemas): whatever takes a key is encrypted with one of AWS's if it is given none. A type whose
schema names keys in several places and that has no row is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from infra.assurance.facts import Fact, Relation
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.keys import (
    AS_SOURCE,
    AWS_MANAGED,
    AWS_OWNED,
    NOT_ASKED,
    NOT_ENCRYPTED,
    OF_AWS,
    Seal,
    seal,
    without_own_key,
)
from infra.assurance.transport.stores import STORES, Store
from infra.assurance.transport.values import as_truth, at, listed, read, tables, truth

KEYED_TYPES: Final = Path(__file__).with_name("keyed_types.txt")
SEVERAL: Final = "?"
"""In that file: keys in several places, which only a row could tell apart."""

_Sealed = Iterator[tuple[str, Seal]]
_SOURCES: Final = (
    "SnapshotIdentifier",
    "DBSnapshotIdentifier",
    "SourceDBInstanceIdentifier",
    "SourceDBClusterIdentifier",
)


def at_rest(model: Model) -> list[Fact]:
    """A fact for each store, and for each part of a resource that keeps data of its own."""
    found: list[Fact] = []
    for resource in model.resources:
        reader = _reader(resource.type)
        if reader is None:
            continue
        with model.refusals.collected():
            for part, sealed in reader(model, resource):
                name = f"{resource.name} ({part})" if part else resource.name
                evidence = (resource, *sealed.evidence)
                found.append(Fact(Relation.AT_REST, (name, sealed.encryption, sealed.key), evidence))
    return found


def _reader(kind: str) -> "Callable[[Model, Resource], _Sealed] | None":
    if kind in _READERS:
        return _READERS[kind]
    if kind in STORES:
        return _by_row
    return _by_schema if kind in keyed_types() else None


@cache
def keyed_types() -> Mapping[str, str]:
    """The types whose schema names a key, with the path of the property or `SEVERAL`."""
    lines = (line.split(maxsplit=1) for line in KEYED_TYPES.read_text().splitlines() if not line.startswith("#"))
    return dict(lines)


def _by_row(model: Model, resource: Resource) -> _Sealed:
    for store in STORES[resource.type]:
        if store.where and not _is_there(resource, store.where):
            continue
        yield store.part, _sealed(model, resource, store)


def _is_there(resource: Resource, path: str) -> bool:
    value = read(resource, path)
    return bool(value) and (isinstance(value, (dict, list)) or str(value).lower() not in {"false", "0"})


def _sealed(model: Model, resource: Resource, store: Store) -> Seal:
    if store.switch and not truth(resource, store.switch, default=store.on):
        return without_own_key(NOT_ENCRYPTED)
    return seal(model, resource, read(resource, store.key) if store.key else None, unset=store.unset)


def _by_schema(model: Model, resource: Resource) -> _Sealed:
    path = keyed_types()[resource.type]
    if path == SEVERAL:
        raise resource.refuse(f"is of the type {resource.type}, which takes keys in ways that the proof does not know")
    first = path.partition(".")[0]
    if "." not in path or "encrypt" in first.lower() or "sse" in first.lower() or resource.value(first) is not None:
        yield "", seal(model, resource, read(resource, path), unset=OF_AWS)


def _database(model: Model, resource: Resource) -> _Sealed:
    """Aurora encrypts a new cluster by itself, be it with a key of AWS's; a copy is encrypted as what it is made from.

    <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html>
    """
    for part, sealed in _by_row(model, resource):
        if part or resource.value("StorageEncrypted") is not None:
            if part or not resource.value("DBClusterIdentifier") or resource.type != "AWS::RDS::DBInstance":
                yield part, sealed
        elif resource.type == "AWS::RDS::DBInstance" and resource.value("DBClusterIdentifier"):
            continue  # its storage is the cluster's
        elif any(resource.value(source) for source in _SOURCES):
            yield part, without_own_key(AS_SOURCE)
        elif str(resource.value("Engine")).startswith("aurora"):
            yield part, without_own_key(NOT_ASKED)
        else:
            yield part, sealed


def _bucket(model: Model, bucket: Resource) -> _Sealed:
    """Every bucket is encrypted: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html>."""
    rules = tables(read(bucket, "BucketEncryption.ServerSideEncryptionConfiguration"))
    rule = at(rules[0], "ServerSideEncryptionByDefault") if rules else None
    unset = AWS_MANAGED if str(at(rule, "SSEAlgorithm")).startswith("aws:kms") else AWS_OWNED
    yield "", seal(model, bucket, at(rule, "KMSMasterKeyID"), unset=unset)


def _queue(model: Model, queue: Resource) -> _Sealed:
    managed = truth(queue, "SqsManagedSseEnabled", default=True)
    yield "", seal(model, queue, queue.value("KmsMasterKeyId"), unset=AWS_OWNED if managed else NOT_ENCRYPTED)


def _table(model: Model, table: Resource) -> _Sealed:
    enabled = truth(table, "SSESpecification.SSEEnabled", default=False)
    replicas = [read(table, "SSESpecification.KMSMasterKeyId")]
    replicas += [at(replica, "SSESpecification.KMSMasterKeyId") for replica in tables(table.value("Replicas"))]
    for key in dict.fromkeys(str(key) for key in replicas if key) if enabled else ():
        yield "", seal(model, table, key, unset=AWS_MANAGED)
    if not enabled or not any(replicas):
        yield "", without_own_key(AWS_MANAGED if enabled else AWS_OWNED)


def _repository(model: Model, repository: Resource) -> _Sealed:
    by_kms = str(read(repository, "EncryptionConfiguration.EncryptionType")).startswith("KMS")
    unset = AWS_MANAGED if by_kms else AWS_OWNED
    yield "", seal(model, repository, read(repository, "EncryptionConfiguration.KmsKey"), unset=unset)


def _delivery(model: Model, stream: Resource) -> _Sealed:
    """What Firehose keeps until it is delivered; a stream that reads from Kinesis keeps it there."""
    asked = read(stream, "DeliveryStreamEncryptionConfigurationInput")
    if asked or stream.value("DeliveryStreamType") != "KinesisStreamAsSource":
        unset = AWS_OWNED if asked else NOT_ENCRYPTED
        yield "", seal(model, stream, at(asked, "KeyARN"), unset=unset)


def _build(model: Model, project: Resource) -> _Sealed:
    disabled = read(project, "Artifacts.EncryptionDisabled")
    if disabled is not None and as_truth(disabled, project, "Artifacts.EncryptionDisabled"):
        yield "artifacts", without_own_key(NOT_ENCRYPTED)
    else:
        yield "artifacts", seal(model, project, project.value("EncryptionKey"), unset=AWS_MANAGED)
    if read(project, "LogsConfig.S3Logs.Status") == "ENABLED" and truth(
        project, "LogsConfig.S3Logs.EncryptionDisabled", default=False
    ):
        yield "logs in S3", without_own_key(NOT_ENCRYPTED)


def _pipeline(model: Model, pipeline: Resource) -> _Sealed:
    stores: list[tuple[str, Json]] = [("artifacts", store) for store in tables(pipeline.value("ArtifactStore"))]
    regional = tables(pipeline.value("ArtifactStores"))
    stores += [(f"artifacts in {entry.get('Region')}", entry.get("ArtifactStore")) for entry in regional]
    for part, store in stores:
        yield part, seal(model, pipeline, at(store, "EncryptionKey.Id"), unset=AWS_MANAGED)


def _devices(model: Model, resource: Resource) -> _Sealed:
    """Volumes that an instance brings along; without mappings of its own, the image's, which may be plain.

    <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html>
    """
    data = resource.value("LaunchTemplateData") if resource.type == "AWS::EC2::LaunchTemplate" else resource.properties
    mappings = [each for each in tables(at(data, "BlockDeviceMappings")) if "Ebs" in each]
    if not mappings and at(data, "ImageId"):
        yield "root volume", without_own_key(NOT_ENCRYPTED)
    for mapping in mappings:
        ebs, part = mapping["Ebs"], f"volume {mapping.get('DeviceName')}"
        encrypted = at(ebs, "Encrypted")
        if encrypted is not None and as_truth(encrypted, resource, "Encrypted"):
            yield part, seal(model, resource, at(ebs, "KmsKeyId"), unset=AWS_MANAGED)
        else:
            yield part, without_own_key(AS_SOURCE if at(ebs, "SnapshotId") else NOT_ENCRYPTED)


def _task_volumes(model: Model, service: Resource) -> _Sealed:
    """Volumes that ECS makes for the tasks of a service."""
    for volume in tables(service.value("VolumeConfigurations")):
        ebs = volume.get("ManagedEBSVolume")
        encrypted = at(ebs, "Encrypted")
        part = f"volume {volume.get('Name')}"
        if encrypted is not None and as_truth(encrypted, service, "Encrypted"):
            yield part, seal(model, service, at(ebs, "KmsKeyId"), unset=AWS_MANAGED)
        else:
            yield part, without_own_key(AS_SOURCE if at(ebs, "SnapshotId") else NOT_ENCRYPTED)


def _cluster_of_kubernetes(model: Model, cluster: Resource) -> _Sealed:
    """<https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html>."""
    keys = [at(each, "Provider.KeyArn") for each in listed(cluster.value("EncryptionConfig"))]
    yield "Kubernetes API data", seal(model, cluster, keys[0] if keys else None, unset=AWS_OWNED)


_READERS: Final[Mapping[str, Callable[[Model, Resource], _Sealed]]] = {
    "AWS::AutoScaling::LaunchConfiguration": _devices,
    "AWS::CodeBuild::Project": _build,
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::Instance": _devices,
    "AWS::EC2::LaunchTemplate": _devices,
    "AWS::ECR::Repository": _repository,
    "AWS::ECR::RepositoryCreationTemplate": _repository,
    "AWS::ECS::Service": _task_volumes,
    "AWS::EKS::Cluster": _cluster_of_kubernetes,
    "AWS::KinesisFirehose::DeliveryStream": _delivery,
    "AWS::RDS::DBCluster": _database,
    "AWS::RDS::DBInstance": _database,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3Express::DirectoryBucket": _bucket,
    "AWS::SQS::Queue": _queue,
}
