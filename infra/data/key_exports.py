"""Where the wrapped keys of people are exported to: what a restored backup is opened with."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import principals, sealing
from infra.encryption import removal_policy
from infra.settings import Environment

KEPT_DAYS = 90
"""How long an export is kept: three times as long as an epoch lasts at the most, so that the newest is always there. An
older one opens nothing, because its epoch's key is destroyed; what it still tells is opaque ids of people."""
UNDO_DAYS = 7
"""How long a file can be had back that was written over or deleted."""
OBJECTS = ("s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*", "s3:ReplicateDelete", "s3:ReplicateObject")
"""Everything that is done with what is in a bucket."""


class KeyExports(s3.Bucket):
    """Written and read by named roles and nobody else, however much their own policies allow.

    An export holds data keys in both their wrappings, so who reads one can open nothing with it; but one that was
    changed or deleted would take people's words from them. So the bucket's own policy denies what IAM may allow too
    widely. It locks out no operator for good: who may change the policy can, and the trail shows it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        region: str,
        key: kms.Key,
        users: Sequence[str],
    ) -> None:
        """``region``: the stack's; ``key``: that of secrets in it; ``users``: ARNs of the roles that may; they need not
        exist yet."""
        super().__init__(
            scope,
            construct_id,
            bucket_name=sealing.exports_bucket(environment, region),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=cast("kms.IKey", key),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=removal_policy(environment),
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(KEPT_DAYS),
                    noncurrent_version_expiration=cdk.Duration.days(UNDO_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(expired_object_delete_marker=True),
            ],
        )
        self.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[principals.anyone()],
                actions=list(OBJECTS),
                resources=[self.arn_for_objects("*")],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": list(users)}},
            )
        )

    def replicate(self, *, environment: Environment, region: str, role: iam.Role) -> None:
        """Have S3 copy each export to the bucket in ``region``, with the rights of ``role``.

        Deletions are not copied: there it has a lifecycle of its own.
        """
        rule = s3.CfnBucket.ReplicationRuleProperty
        resource = cast("s3.CfnBucket", self.node.default_child)
        resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=role.role_arn,
            rules=[
                rule(
                    id="recovery",
                    status="Enabled",
                    priority=1,
                    filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
                    delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
                    source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
                        sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
                    ),
                    destination=s3.CfnBucket.ReplicationDestinationProperty(
                        bucket=f"arn:aws:s3:::{sealing.exports_bucket(environment, region)}",
                        encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(
                            replica_kms_key_id=sealing.secrets_alias_arn(environment, region)
                        ),
                    ),
                )
            ],
        )
        resource.node.add_dependency(role.node.find_child("DefaultPolicy"))  # S3 refuses a role that may not do it
