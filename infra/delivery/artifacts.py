"""Where the pipeline keeps what it hands from one step to the next: the sources, and the CloudFormation."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class Artifacts(s3.Bucket):
    """Encrypted with a key of its own, over TLS alone, versioned, and emptied of what is ``retention_days`` old.

    ``name`` is fixed, so that the pipeline can name it from another region. It has to be unique in the world.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, alias: str, retention_days: int) -> None:
        key = kms.Key(
            scope,
            f"{construct_id}Key",
            description=f"Sanctum pipeline: artifacts in {name}",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        # By an alias, whose name is fixed as the bucket's is.
        named = kms.Alias(scope, f"{construct_id}Alias", alias_name=alias, target_key=cast("kms.IKey", key))
        super().__init__(
            scope,
            construct_id,
            bucket_name=name,
            encryption_key=cast("kms.IKey", named),
            encryption=s3.BucketEncryption.KMS,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(retention_days),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
