"""The role by which AWS Backup copies one Aurora cluster."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import principals

SNAPSHOTS = "awsbackup:*"
"""How AWS Backup names the snapshots it makes."""


class BackupRole(iam.Role):
    """What AWS Backup's guide lists for Aurora, on this cluster, these vaults and these keys.

    AWS's own ``AWSBackupServiceRolePolicyForBackup`` may delete every snapshot and modify every database of the
    account. Left out of what the guide lists ("Customer managed policies", Aurora): sharing a snapshot with another
    account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        account: str,
        regions: Sequence[str],
        cluster_arn: str,
        key_arn: str,
        vault_arns: Sequence[str],
        copy_key_alias: str,
    ) -> None:
        """``regions``: the cluster's, and where there is one, that of the copies, whose key has ``copy_key_alias``;
        ``vault_arns``: the vaults in them; ``key_arn``: the cluster's key.
        """
        super().__init__(
            scope,
            construct_id,
            assumed_by=principals.service("backup.amazonaws.com", account=account),
            description="AWS Backup copies the user database",
        )

        def rds(kind: str) -> list[str]:
            return [f"arn:aws:rds:{region}:{account}:{kind}" for region in regions]

        snapshots = rds(f"cluster-snapshot:{SNAPSHOTS}")
        self._allow(
            [
                "rds:AddTagsToResource",
                "rds:CopyDBClusterSnapshot",
                "rds:CreateDBClusterSnapshot",
                "rds:ListTagsForResource",
            ],
            [cluster_arn, *snapshots],
        )
        self._allow(["rds:DeleteDBClusterSnapshot"], snapshots)
        # They list, and tell nothing that is in a database.
        self._allow(
            ["rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusters"],
            [*rds("cluster:*"), *rds("cluster-snapshot:*")],
        )
        self._allow(["tag:GetResources"], ["*"])  # has no resources to name
        self._allow(
            ["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault", "backup:DescribeBackupVault"], vault_arns
        )
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        self._allow(["kms:DescribeKey"], [key_arn])
        self._allow(["kms:CreateGrant"], [key_arn], for_aws)
        for region in regions[1:]:
            keys = [f"arn:aws:kms:{region}:{account}:key/*"]
            named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": copy_key_alias}}
            self._allow(["kms:DescribeKey"], keys, named)
            self._allow(["kms:CreateGrant"], keys, named | for_aws)

    def _allow(
        self, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions))
