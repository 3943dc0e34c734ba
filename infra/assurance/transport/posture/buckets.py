"""Buckets: who may be let in, whether TLS is a must, what becomes of old versions.

<https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.policies import WEAKEST_FIRST, lowest_admitted
from infra.assurance.transport.tls import NONE
from infra.assurance.transport.values import as_truth, at, read, spoken, tables

BUCKET: Final = "AWS::S3::Bucket"
_BLOCKS: Final = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def of_bucket(model: Model, bucket: Resource) -> Iterator[tuple[str, str]]:
    """Quality and value, for each.

    Raises:
        Refused: only a deployment knows a value.
    """
    yield "public access blocked", _blocked(bucket)
    yield "lowest TLS", _lowest(model, bucket)
    yield "versions kept", str(read(bucket, "VersioningConfiguration.Status") or "no")
    yield "access log", _access_log(model, bucket)
    if read(bucket, "ObjectLockEnabled"):
        retention = read(bucket, "ObjectLockConfiguration.Rule.DefaultRetention")
        length = f"{at(retention, 'Days')} days" if at(retention, "Days") else f"{at(retention, 'Years')} years"
        yield "objects locked", f"{at(retention, 'Mode')} for {length}" if retention else "without a default"
    for rule in tables(read(bucket, "ReplicationConfiguration.Rules")):
        target = at(rule, "Destination.Bucket")
        found = model.find(target, BUCKET)
        yield "copied to", found.name if found else str(target)
    if acl := bucket.value("AccessControl"):
        yield "access control list", str(acl)


def _blocked(bucket: Resource) -> str:
    """New buckets block all; a configuration of one's own blocks what it says, and nothing else.

    <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    """
    configuration = bucket.value("PublicAccessBlockConfiguration")
    if configuration is None:
        return "all, as AWS sets it"
    blocked = [
        block for block in _BLOCKS if (value := at(configuration, block)) is not None and as_truth(value, bucket, block)
    ]
    return "all" if len(blocked) == len(_BLOCKS) else spoken(blocked)


def _lowest(model: Model, bucket: Resource) -> str:
    """Of several policies for one bucket, the last that is deployed stays: the weakest counts."""
    policies = model.of_type("AWS::S3::BucketPolicy")
    documents = (
        each.value("PolicyDocument") for each in policies if model.find(each.value("Bucket"), BUCKET) is bucket
    )
    objects = (bucket.arn, f"{bucket.arn}/*")
    admitted = [lowest_admitted(document, ("s3:*",), objects) for document in documents] or [NONE]
    return min(admitted, key=WEAKEST_FIRST.index)


def _access_log(model: Model, bucket: Resource) -> str:
    logging = bucket.value("LoggingConfiguration")
    if logging is None:
        return "none"
    target = at(logging, "DestinationBucketName")
    found = model.find(target, BUCKET)
    return found.name if found else str(target or bucket.name)
