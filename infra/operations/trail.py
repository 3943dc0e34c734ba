"""What was done in the account, and by whom: a CloudTrail trail, and the bucket that it writes to."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import principals

KEPT_DAYS = 400
"""A year, and a month to look back at it."""


class Trail(Construct):
    """Management events of every region, each use of a KMS key among them, with its encryption context (AWS KMS guide,
    "Logging AWS KMS API calls with AWS CloudTrail"), and who read the trail itself.

    The first such trail of an account costs its storage alone. Files are encrypted with a key of one's own, signed in
    a chain of digests, and locked for ``KEPT_DAYS``: deleting one sooner takes a permission to bypass governance, which
    no role here has, and leaves an event. Reading the files needs a policy of the reader's own; the bucket's lets
    nobody in but CloudTrail. Bucket and key outlive the stack.

    No CloudWatch Logs (0.50 USD a GB, for events that EventBridge sees anyway) and no server access logs: reads of the
    bucket are events of the trail, with the reader's identity (AWS CloudTrail guide, "Security best practices",
    "Configure AWS KMS key policies for CloudTrail" and "Amazon S3 bucket policy for CloudTrail").
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, key: kms.Key, watched: Sequence[str] = ()
    ) -> None:
        """``name`` is the trail's; ``key`` gets a policy that lets this trail alone encrypt with it; ``watched`` are
        the names of other buckets: who reads and writes in them is told, too."""
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        # As text: the bucket's policy comes before the trail.
        self.arn = f"arn:aws:cloudtrail:{stack.region}:{stack.account}:trail/{name}"
        key.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self._let_encrypt(key, stack.account)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=cast("kms.IKey", key),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_default_retention=s3.ObjectLockRetention.governance(cdk.Duration.days(KEPT_DAYS)),
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(KEPT_DAYS),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(expired_object_delete_marker=True),
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self._let_write(stack.account)
        selector = cloudtrail.CfnTrail.EventSelectorProperty
        trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            kms_key_id=key.key_arn,
            s3_bucket_name=self.bucket.bucket_name,
            event_selectors=[
                selector(include_management_events=True, read_write_type="All"),
                # What is written there is CloudTrail's own: only reading says something.
                selector(
                    include_management_events=False,
                    read_write_type="ReadOnly",
                    data_resources=[
                        cloudtrail.CfnTrail.DataResourceProperty(
                            type="AWS::S3::Object", values=[self.bucket.arn_for_objects("")]
                        )
                    ],
                ),
                *(
                    selector(
                        include_management_events=False,
                        read_write_type="All",
                        data_resources=[
                            cloudtrail.CfnTrail.DataResourceProperty(
                                type="AWS::S3::Object", values=[f"arn:aws:s3:::{bucket}/" for bucket in watched]
                            )
                        ],
                    )
                    for _ in watched[:1]
                ),
            ],
        )
        trail.node.add_dependency(cast("s3.BucketPolicy", self.bucket.policy))

    def _let_encrypt(self, key: kms.Key, account: str) -> None:
        mine = {"StringEquals": {"aws:SourceArn": self.arn}}
        context = {
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{account}:trail/*"}
        }
        for action, conditions in (("kms:GenerateDataKey*", mine | context), ("kms:DescribeKey", mine)):
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[principals.service("cloudtrail.amazonaws.com")],
                    actions=[action],
                    resources=["*"],
                    conditions=conditions,
                )
            )

    def _let_write(self, account: str) -> None:
        mine = {"aws:SourceArn": self.arn}
        acl = {"s3:x-amz-acl": "bucket-owner-full-control"}
        for action, resource, conditions in (
            ("s3:GetBucketAcl", self.bucket.bucket_arn, mine),
            ("s3:PutObject", self.bucket.arn_for_objects(f"AWSLogs/{account}/*"), mine | acl),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[principals.service("cloudtrail.amazonaws.com")],
                    actions=[action],
                    resources=[resource],
                    conditions={"StringEquals": conditions},
                )
            )
