"""Copies of the user database by AWS Backup, beside the database's own: in a vault that outlives it, and in another
region.

Taken and deleted by the plan alone. What a person had erased is gone from the copies ``backup.days`` later, and not
sooner. AWS Backup makes nothing, and says nothing, where the account has not opted in to Aurora: what is watched is
therefore that copies *are* made.
"""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk.interfaces.aws_backup import IBackupPlanRef, IBackupVaultRef
from constructs import Construct

from infra.data import backups_watch
from infra.data.backup_copy import PURPOSE as COPIES
from infra.data.backup_role import BackupRole
from infra.data.backup_vault import BackupVault
from infra.data.quiet_hours import QuietHours
from infra.data.watch import Watch
from infra.data.watch_alarms import add_watches
from infra.settings import Environment

PURPOSE = "backups"
START = cdk.Duration.hours(1)
COMPLETION = cdk.Duration.hours(12)

FAILED = ("ABORTED", "EXPIRED", "FAILED")


class Backups(Construct):
    """A copy each day, as long as the settings say, in each of the regions they name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        database: rds.DatabaseCluster,
        key_arn: str,
        alarms: sns.ITopic,
    ) -> None:
        """``key_arn``: the database's key."""
        super().__init__(scope, construct_id)
        settings, account = environment.backup, environment.account
        vault = BackupVault(self, "Vault", environment=environment, purpose=PURPOSE)
        copies = environment.resource_name(COPIES)
        copies_arn = (
            f"arn:aws:backup:{settings.copy_region}:{account.id}:backup-vault:{copies}"
            if settings.copy_region
            else None
        )
        keep = cdk.Duration.days(settings.days)
        plan = backup.BackupPlan(
            self,
            "Plan",
            backup_plan_name=environment.resource_name(PURPOSE),
            backup_plan_rules=[
                backup.BackupPlanRule(
                    rule_name="daily",
                    backup_vault=cast("IBackupVaultRef", vault),
                    schedule_expression=events.Schedule.expression(
                        QuietHours(first=environment.operations.quiet_hour).copies
                    ),
                    start_window=START,
                    completion_window=COMPLETION,
                    delete_after=keep,
                    copy_actions=[
                        backup.BackupPlanCopyActionProps(
                            destination_backup_vault=backup.BackupVault.from_backup_vault_arn(
                                self, "Copies", copies_arn
                            ),
                            delete_after=keep,
                        )
                    ]
                    if copies_arn
                    else None,
                )
            ],
        )
        role = BackupRole(
            self,
            "Role",
            account=account.id,
            regions=[account.region, *([settings.copy_region] if settings.copy_region else [])],
            cluster_arn=database.cluster_arn,
            key_arn=key_arn,
            vault_arns=[vault.backup_vault_arn, *([copies_arn] if copies_arn else [])],
            copy_key_alias=f"alias/{copies}",
        )
        selection = backup.BackupSelection(
            self,
            "Selection",
            backup_plan=cast("IBackupPlanRef", plan),
            backup_selection_name="users",
            resources=[backup.BackupResource.from_arn(database.cluster_arn)],
            role=cast("iam.IRole", role),
            disable_default_backup_policy=True,
        )
        selection.node.add_dependency(role.node.find_child("DefaultPolicy"))  # AWS Backup tries what it may
        self._tell_of_failures(vault, alarms)
        self._watch("Watch", environment.resource_name(PURPOSE), alarms, backups_watch.BACKUPS)
        if copies_arn:
            self._watch("WatchCopies", copies, alarms, backups_watch.COPIES)

    def _tell_of_failures(self, vault: backup.BackupVault, alarms: sns.ITopic) -> None:
        """At once, as AWS Backup says it (its guide, "Monitoring AWS Backup events using Amazon EventBridge")."""
        events.Rule(
            self,
            "Failed",
            description="A backup or its copy to another region failed",
            event_pattern=events.EventPattern(
                source=["aws.backup"],
                detail_type=["Backup Job State Change", "Copy Job State Change"],
                detail={
                    "state": list(FAILED),
                    "$or": [
                        {"backupVaultName": [vault.backup_vault_name]},
                        {"sourceBackupVaultArn": [vault.backup_vault_arn]},
                    ],
                },
            ),
            targets=[cast("events.IRuleTarget", targets.SnsTopic(alarms))],
        )

    def _watch(self, construct_id: str, vault: str, alarms: sns.ITopic, watches: Sequence[Watch]) -> None:
        add_watches(
            Construct(self, construct_id),
            name=vault,
            namespace="AWS/Backup",
            dimensions={"BackupVaultName": vault},
            topic=alarms,
            watches=watches,
        )
