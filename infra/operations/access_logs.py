"""Where the load balancer writes down who asked for what."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import principals

UNDO_DAYS = 7
"""How long a file can be had back that somebody deleted or wrote over."""


class AccessLogs(s3.Bucket):
    """A bucket for access and connection logs, which load balancers of this account and region may write to.

    They hold addresses, times, statuses and URLs. The API's URLs have ids and page cursors in them and no words of
    people, which are in bodies, and those are not written down. Encrypted with S3's own keys, the only ones that a
    load balancer can write with (Elastic Load Balancing guide, "Enable access logs for your Application Load
    Balancer").
    """

    def __init__(self, scope: Construct, construct_id: str, *, retention_days: int) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(retention_days),
                    noncurrent_version_expiration=cdk.Duration.days(UNDO_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(expired_object_delete_marker=True),
            ],
        )
        stack = cdk.Stack.of(self)
        balancers = f"arn:aws:elasticloadbalancing:{stack.region}:{stack.account}:loadbalancer/*"
        # Not by `log_access_logs`, which admits an account of AWS without a condition.
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principals.service("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"AWSLogs/{stack.account}/*")],
                conditions={"ArnLike": {"aws:SourceArn": balancers}},
            )
        )
