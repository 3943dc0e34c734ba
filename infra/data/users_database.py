"""The user database: Aurora PostgreSQL, Serverless v2."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.encryption import EncryptedLogGroup, removal_policy
from infra.network.vpc import DATA
from infra.settings import Environment

NAME = "users"
PORT = 5432
CA = rds.CaCertificate.RDS_CA_RSA2048_G1
"""Its root is in ``services/backend/rds-ca.pem``."""

PARAMETERS = {
    "rds.force_ssl": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    # A violated constraint is logged with the values of the row otherwise: an address, or somebody's words.
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class UsersDatabase(rds.DatabaseCluster):
    """Encrypted, reached over TLS by IAM sign-in; RDS makes the administrator's password and replaces it each week."""

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
    ) -> None:
        settings = environment.database
        identifier = environment.resource_name(NAME)
        engine = rds.DatabaseClusterEngine.aurora_postgres(
            version=rds.AuroraPostgresEngineVersion.of(settings.version, settings.version.partition(".")[0])
        )
        # RDS would make the group itself, unencrypted and kept for ever.
        log_group = EncryptedLogGroup(
            scope,
            f"{construct_id}LogGroup",
            environment=environment,
            key=logs_key,
            name=f"/aws/rds/cluster/{identifier}/postgresql",
        )
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
            writer=self._instance("writer"),
            readers=[self._instance(f"reader{n}") for n in range(1, settings.readers + 1)],
            serverless_v2_min_capacity=settings.min_acu,
            serverless_v2_max_capacity=settings.max_acu,
            backup=rds.BackupProps(retention=cdk.Duration.days(settings.backup_days)),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=["postgresql"],
            deletion_protection=environment.protected,
            removal_policy=removal_policy(environment),
        )
        self.node.add_dependency(log_group)
        resource = cast("rds.CfnDBCluster", self.node.default_child)
        self.resource_id = resource.attr_db_cluster_resource_id
        self.admin_secret_arn = resource.attr_master_user_secret_secret_arn

    @staticmethod
    def _instance(name: str) -> rds.IClusterInstance:
        return rds.ClusterInstance.serverless_v2(
            name,
            scale_with_writer=True,
            auto_minor_version_upgrade=False,  # CloudFormation would drift from what runs
            publicly_accessible=False,
            ca_certificate=CA,
        )
