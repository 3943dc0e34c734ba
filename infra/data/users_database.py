"""The user database: Aurora PostgreSQL, Serverless v2."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.data.monitoring_role import MonitoringRole
from infra.data.quiet_hours import QuietHours
from infra.data.users_watch import users_watches
from infra.data.watch_alarms import add_watches
from infra.encryption import EncryptedLogGroup, removal_policy
from infra.network.vpc import DATA
from infra.settings import Environment

NAME = "users"
PORT = 5432
CA = rds.CaCertificate.RDS_CA_RSA2048_G1
"""Its root is in ``services/backend/rds-ca.pem``."""

LOGS = ("postgresql", "iam-db-auth-error")
"""What PostgreSQL writes, and why somebody could not sign in with IAM."""

PARAMETERS = {
    "rds.force_ssl": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    # A violated constraint is logged with the values of the row otherwise: an address, or somebody's words.
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_connections": "1",  # who signs in, and from where
}

PAUSE_AFTER = cdk.Duration.minutes(5)
"""How long nobody may be connected before a database with ``min_acu = 0`` pauses; AWS has no less."""


class UsersDatabase(rds.DatabaseCluster):
    """Encrypted, reached over TLS by IAM sign-in; RDS makes the administrator's password and replaces it each week.

    Only the cluster has deletion protection: to instances of Aurora, whose data is the cluster's, it does not apply
    (Amazon RDS, ``DBInstance.DeletionProtection``). They are retained with it. A change of the cluster that would
    replace it fails, because the new one cannot have its name. Each reader takes over in its turn and therefore grows
    with the writer. Enhanced Monitoring writes to ``RDSOSMetrics``, a log group that RDS makes, one for all of the
    account, and keeps for 30 days: figures of the operating system under a key of AWS's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        key: kms.Key,
        secrets_key: kms.Key,
        logs_key: kms.Key,
        alarms: sns.ITopic,
    ) -> None:
        settings = environment.database
        quiet = QuietHours(first=environment.operations.quiet_hour)
        identifier = environment.resource_name(NAME)
        engine = rds.DatabaseClusterEngine.aurora_postgres(
            version=rds.AuroraPostgresEngineVersion.of(
                settings.version, settings.version.partition(".")[0], serverless_v2_auto_pause_supported=True
            )
        )
        # RDS would make the groups itself, unencrypted and kept for ever.
        log_groups = [
            EncryptedLogGroup(
                scope,
                f"{construct_id}Log-{log}",
                environment=environment,
                key=logs_key,
                name=f"/aws/rds/cluster/{identifier}/{log}",
            )
            for log in LOGS
        ]
        insights = settings.insights or None
        insights_kept = rds.PerformanceInsightRetention.MONTHS_15 if insights else None
        insights_key = cast("kms.IKey", key) if insights else None

        def instance(name: str) -> rds.IClusterInstance:
            return rds.ClusterInstance.serverless_v2(
                name,
                scale_with_writer=True,
                auto_minor_version_upgrade=False,  # CloudFormation would drift from what runs
                preferred_maintenance_window=quiet.database_maintenance,
                publicly_accessible=False,
                ca_certificate=CA,
                enable_performance_insights=insights,
                performance_insight_retention=insights_kept,
                performance_insight_encryption_key=insights_key,
            )

        monitoring = MonitoringRole(scope, f"{construct_id}Monitoring") if settings.insights else None
        super().__init__(
            scope,
            construct_id,
            cluster_identifier=identifier,
            engine=engine,
            default_database_name=NAME,
            port=PORT,
            vpc=vpc,
            vpc_subnets=DATA,
            security_groups=[security_group],
            manage_master_user_password=True,
            credentials=rds.Credentials.from_username("sanctum_admin", encryption_key=cast("kms.IKey", secrets_key)),
            iam_authentication=True,
            storage_encrypted=True,
            storage_encryption_key=key,
            parameter_group=rds.ParameterGroup(
                scope, f"{construct_id}Parameters", engine=engine, parameters=PARAMETERS
            ),
            writer=instance("writer"),
            readers=[instance(f"reader{n}") for n in range(1, settings.readers + 1)],
            serverless_v2_min_capacity=settings.min_acu,
            serverless_v2_max_capacity=settings.max_acu,
            serverless_v2_auto_pause_duration=None if settings.min_acu else PAUSE_AFTER,
            backup=rds.BackupProps(
                retention=cdk.Duration.days(settings.backup_days), preferred_window=quiet.database_backup
            ),
            delete_automated_backups=not environment.protected,
            preferred_maintenance_window=quiet.database_maintenance,
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=list(LOGS),
            deletion_protection=environment.protected,
            removal_policy=removal_policy(environment),
            # All of these or none: the advanced mode needs 15 months and the same monitoring of every instance.
            database_insights_mode=rds.DatabaseInsightsMode.ADVANCED if settings.insights else None,
            enable_performance_insights=insights,
            performance_insight_retention=insights_kept,
            performance_insight_encryption_key=insights_key,
            enable_cluster_level_enhanced_monitoring=insights,
            monitoring_interval=cdk.Duration.minutes(1) if settings.insights else None,
            monitoring_role=cast("iam.IRole", monitoring) if monitoring else None,
        )
        self.node.add_dependency(*log_groups)
        add_watches(
            self,
            name=identifier,
            namespace="AWS/RDS",
            dimensions={"DBClusterIdentifier": identifier},
            topic=alarms,
            watches=users_watches(settings) if environment.operations.store_alarms else (),
        )
        resource = cast("rds.CfnDBCluster", self.node.default_child)
        self.resource_id = resource.attr_db_cluster_resource_id
        self.admin_secret_arn = resource.attr_master_user_secret_secret_arn
