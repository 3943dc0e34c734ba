"""The role by which S3 copies exports of keys to another region."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import principals, sealing
from infra.settings import Environment

NAME = "key_exports"


class ReplicationRole(iam.Role):
    """What the Amazon S3 guide lists for objects encrypted with KMS ("Setting up permissions for live replication",
    "Replicating encrypted objects"), on one bucket in each region and the key of secrets there.

    Has a fixed name, by which the buckets know it; the other region's key is known by its alias.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key_arn: str, region: str
    ) -> None:
        """``key_arn``: the key of the exports here; ``region``: where they are copied to."""
        account = environment.account
        here, there = (f"arn:aws:s3:::{sealing.exports_bucket(environment, each)}" for each in (account.region, region))
        super().__init__(
            scope,
            construct_id,
            role_name=environment.resource_name(NAME),
            # S3 is not documented to say for whom it takes on such a role; only this account can hand it this one.
            assumed_by=principals.service("s3.amazonaws.com"),
            description="S3 copies exports of keys to another region",
        )

        def allow(actions: list[str], resource: str, conditions: dict[str, object] | None = None) -> None:
            self.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource], conditions=conditions))

        def through(where: str, bucket: str) -> dict[str, object]:
            return {
                "StringEquals": {"kms:ViaService": f"s3.{where}.amazonaws.com"},
                "StringLike": {f"{sealing.CONTEXT}aws:s3:arn": f"{bucket}/*"},
            }

        allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], here)
        allow(
            [
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionTagging",
            ],
            f"{here}/*",
        )
        allow(["s3:ReplicateObject", "s3:ReplicateTags"], f"{there}/*")
        allow(["kms:Decrypt"], key_arn, through(account.region, here))
        named: dict[str, object] = {
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": sealing.secrets_alias(environment)}
        }
        allow(
            ["kms:Encrypt", "kms:GenerateDataKey"],
            f"arn:aws:kms:{region}:{account.id}:key/*",
            through(region, there) | named,
        )
