"""Qualities that one property tells: a row each.

Where a property is not set, the row says what AWS makes of it, as the type's page in
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/> has it, or that AWS or an image decides.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.values import known, listed, read, spoken

NO: Final = "no"
YES: Final = "yes"
_WORDS: Final = {"true": YES, "false": NO}


class Setting(NamedTuple):
    """A quality, the path of its property, and its value where the property is not set.

    `silent` is the value that is not worth a fact: the safe one of a quality that hardly anybody sets. `unless` is the
    path of a property whose presence makes the row moot. `of` is the type of resource that the value names, if any.
    """

    quality: str
    path: str
    unset: str
    silent: str | None = None
    unless: str = ""
    of: str = ""


def of_settings(model: Model, resource: Resource) -> Iterator[tuple[str, str]]:
    """Quality and value for each row of the resource's type.

    Raises:
        Refused: only a deployment knows a value.
    """
    for setting in SETTINGS.get(resource.type, ()):
        if setting.unless and read(resource, setting.unless):
            continue
        value = as_text(model, resource, setting.path, read(resource, setting.path), setting.unset, of=setting.of)
        if value != setting.silent:
            yield setting.quality, value


def as_text(model: Model, resource: Resource, path: str, value: Json, unset: str, *, of: str = "") -> str:
    """A value in words: yes and no, names of resources instead of ARNs, lists sorted."""
    if value is None:
        return unset
    if isinstance(value, list):
        return spoken(as_text(model, resource, path, each, unset, of=of) for each in listed(value))
    text = known(value, resource, path)
    found = model.find(text, *([of] if of else [])) if of or text.startswith("arn:") else None
    return found.name if found else _WORDS.get(text.lower(), text)


_DELETION: Final = Setting("deletion protection", "DeletionProtection", NO)
_BACKUP: Final = Setting("days of backups", "BackupRetentionPeriod", "1")
_IAM_DATABASE: Final = Setting("sign-in by IAM", "EnableIAMDatabaseAuthentication", NO)
_IAM: Final = Setting("sign-in by IAM", "IamAuthEnabled", NO)
_EXPORTS: Final = Setting("logs exported", "EnableCloudwatchLogsExports", "none")
_PUBLIC: Final = Setting("publicly accessible", "PubliclyAccessible", NO)
_MASTER: Final = "master password kept by Secrets Manager"
_IMDS: Final = "instance metadata service"

SETTINGS: Final[Mapping[str, tuple[Setting, ...]]] = {
    "AWS::ApiGateway::Method": (Setting("authorization", "AuthorizationType", "NONE"),),
    "AWS::ApiGatewayV2::Route": (Setting("authorization", "AuthorizationType", "NONE"),),
    "AWS::AmazonMQ::Broker": (_PUBLIC,),
    "AWS::AppSync::GraphQLApi": (Setting("authorization", "AuthenticationType", "NONE"),),
    "AWS::AutoScaling::LaunchConfiguration": (
        Setting(_IMDS, "MetadataOptions.HttpTokens", "image decides"),
        Setting("public address", "AssociatePublicIpAddress", "subnet decides"),
    ),
    "AWS::CloudTrail::Trail": (
        Setting("logging", "IsLogging", NO),
        Setting("every region", "IsMultiRegionTrail", NO),
        Setting("log files validated", "EnableLogFileValidation", NO),
        Setting("global services", "IncludeGlobalServiceEvents", NO),
    ),
    "AWS::CodeBuild::Project": (
        Setting("privileged", "Environment.PrivilegedMode", NO),
        Setting("certificate of the source unchecked", "Source.InsecureSsl", NO, silent=NO),
        Setting("builds visible to the public", "Visibility", "PRIVATE", silent="PRIVATE"),
        Setting("credentials of the source in plain sight", "Source.Auth.Resource", NO, silent=NO),
    ),
    "AWS::Cognito::UserPool": (
        Setting("multi-factor sign-in", "MfaConfiguration", "OFF"),
        Setting("deletion protection", "DeletionProtection", "INACTIVE"),
        Setting("only administrators create users", "AdminCreateUserConfig.AllowAdminCreateUserOnly", NO),
    ),
    "AWS::DMS::ReplicationInstance": (Setting("publicly accessible", "PubliclyAccessible", YES),),
    "AWS::DocDB::DBCluster": (_DELETION, _BACKUP, _EXPORTS),
    "AWS::DynamoDB::Table": (
        Setting("deletion protection", "DeletionProtectionEnabled", NO),
        Setting("restored to any point in time", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", NO),
    ),
    "AWS::EC2::Subnet": (
        Setting("public address on launch", "MapPublicIpOnLaunch", NO),
        Setting("IPv6 address on launch", "AssignIpv6AddressOnCreation", NO, silent=NO),
    ),
    "AWS::ECR::Repository": (
        Setting("scanned on push", "ImageScanningConfiguration.ScanOnPush", NO),
        Setting("tags", "ImageTagMutability", "MUTABLE"),
    ),
    "AWS::ECS::Service": (
        Setting("exec into containers", "EnableExecuteCommand", NO),
        Setting("platform", "PlatformVersion", "LATEST", silent="LATEST"),
    ),
    "AWS::EKS::Cluster": (
        Setting("public API", "ResourcesVpcConfig.EndpointPublicAccess", YES),
        Setting("public API from", "ResourcesVpcConfig.PublicAccessCidrs", "0.0.0.0/0"),
    ),
    "AWS::ElastiCache::ReplicationGroup": (
        Setting("days of backups", "SnapshotRetentionLimit", "0"),
        Setting("user groups", "UserGroupIds", "none"),
    ),
    "AWS::ElastiCache::User": (
        Setting("without a password", "NoPasswordRequired", NO),
        Setting("sign-in", "AuthenticationMode.Type", "AWS decides"),
    ),
    "AWS::CloudWatch::MetricStream": (Setting("metrics sent to", "FirehoseArn", "?"),),
    "AWS::EKS::Nodegroup": (Setting("SSH key", "RemoteAccess.Ec2SshKey", "none", silent="none"),),
    "AWS::IAM::AccessKey": (Setting("long-lived key of", "UserName", "?"),),
    "AWS::KMS::Key": (
        Setting("rotated", "EnableKeyRotation", NO),
        Setting("enabled", "Enabled", YES, silent=YES),
        Setting("days before deletion", "PendingWindowInDays", "30", silent="30"),
        Setting("lock-out check left out", "BypassPolicyLockoutSafetyCheck", NO, silent=NO),
    ),
    "AWS::Lambda::Url": (
        Setting("authorization", "AuthType", "NONE"),
        Setting("origins of browsers", "Cors.AllowOrigins", "none", silent="none"),
    ),
    "AWS::Logs::LogGroup": (
        Setting("days of retention", "RetentionInDays", "for ever"),
        Setting("deletion protection", "DeletionProtectionEnabled", NO, silent=NO),
    ),
    "AWS::Logs::SubscriptionFilter": (Setting("log sent to", "DestinationArn", "?"),),
    "AWS::MSK::Cluster": (
        Setting("encrypted between brokers", "EncryptionInfo.EncryptionInTransit.InCluster", YES),
        Setting("public", "ConnectivityInfo.PublicAccess.Type", "DISABLED"),
        Setting("clients without sign-in", "ClientAuthentication.Unauthenticated.Enabled", "AWS decides"),
    ),
    "AWS::MemoryDB::Cluster": (Setting("access list", "ACLName", "?"),),
    "AWS::Neptune::DBCluster": (
        _DELETION,
        _BACKUP,
        _IAM,
    ),
    "AWS::RAM::ResourceShare": (
        Setting("shared with", "Principals", "nobody"),
        Setting("shared outside the organization", "AllowExternalPrincipals", YES),
    ),
    "AWS::RDS::DBCluster": (
        _DELETION,
        _BACKUP,
        _IAM_DATABASE,
        _EXPORTS,
        Setting(_MASTER, "ManageMasterUserPassword", NO),
        Setting("SQL over HTTPS", "EnableHttpEndpoint", NO, silent=NO),
        Setting("publicly accessible", "PubliclyAccessible", NO, silent=NO),
    ),
    "AWS::RDS::DBInstance": (
        Setting("publicly accessible", "PubliclyAccessible", "AWS decides by the subnets"),
        Setting("deletion protection", "DeletionProtection", NO, unless="DBClusterIdentifier"),
        Setting("days of backups", "BackupRetentionPeriod", "1", unless="DBClusterIdentifier"),
        Setting("sign-in by IAM", "EnableIAMDatabaseAuthentication", NO, unless="DBClusterIdentifier"),
        Setting("logs exported", "EnableCloudwatchLogsExports", "none", unless="DBClusterIdentifier"),
        Setting(
            "master password kept by Secrets Manager", "ManageMasterUserPassword", NO, unless="DBClusterIdentifier"
        ),
    ),
    "AWS::RDS::DBProxy": (Setting("logs statements", "DebugLogging", NO, silent=NO),),
    "AWS::Redshift::Cluster": (
        _PUBLIC,
        Setting("logs", "LoggingProperties.BucketName", "none", of="AWS::S3::Bucket"),
        Setting("VPC routing", "EnhancedVpcRouting", NO),
    ),
    "AWS::RedshiftServerless::Workgroup": (_PUBLIC,),
    "AWS::SNS::Subscription": (Setting("delivered by", "Protocol", "?"),),
    "AWS::SageMaker::NotebookInstance": (
        Setting("direct internet access", "DirectInternetAccess", "Enabled"),
        Setting("root access", "RootAccess", "Enabled"),
    ),
    "AWS::StepFunctions::StateMachine": (
        Setting("logging", "LoggingConfiguration.Level", "OFF"),
        Setting("input and output in the log", "LoggingConfiguration.IncludeExecutionData", NO, silent=NO),
    ),
    "AWS::Transfer::Server": (Setting("protocols", "Protocols", "SFTP"), Setting("endpoint", "EndpointType", "PUBLIC")),
    "AWS::VpcLattice::Service": (Setting("authorization", "AuthType", "NONE"),),
    "AWS::VpcLattice::ServiceNetwork": (Setting("authorization", "AuthType", "NONE"),),
    "AWS::VpcLattice::ServiceNetworkVpcAssociation": (
        Setting("security groups", "SecurityGroupIds", "none: lets the whole VPC in", of="AWS::EC2::SecurityGroup"),
    ),
    "AWS::Route53Resolver::FirewallConfig": (
        Setting("lets names through when it fails", "FirewallFailOpen", "DISABLED"),
    ),
}
"""By type; the qualities that need more than one property are read by the other modules here."""
