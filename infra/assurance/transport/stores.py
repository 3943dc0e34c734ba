"""What keeps data, and which properties say how it is encrypted: one row a type.

Each row follows the type's page in <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/> and the
service's own on encryption at rest; where the two name a default, `unset` and `on` are that.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from infra.assurance.transport.keys import AWS_MANAGED, AWS_OWNED, NOT_ENCRYPTED


class Store(NamedTuple):
    """One thing in a resource that keeps data.

    `key` is the path of the key's property. `switch` is the path of what turns encryption on (`on` where it is not
    set), empty for what is always encrypted. `unset` is the encryption without a key of one's own. `part` names the
    thing if the resource is more than it; `where` is the path of what must be set for the thing to be there.
    """

    key: str
    unset: str = AWS_OWNED
    switch: str = ""
    on: bool = False
    part: str = ""
    where: str = ""


_PERFORMANCE: Final = "performance insights"
_MASTER: Final = "secret of the master user"
_MANAGED_MASTER: Final = Store("MasterUserSecret.KmsKeyId", AWS_MANAGED, part=_MASTER, where="ManageMasterUserPassword")

# Their schemas speak of keys, but what they describe is kept elsewhere, by a resource with a row of its own.
_KEEPS_NOTHING: Final = (
    "AWS::DMS::Endpoint",
    "AWS::EC2::EC2Fleet",
    "AWS::ImageBuilder::ContainerRecipe",
    "AWS::ImageBuilder::DistributionConfiguration",
    "AWS::ImageBuilder::ImageRecipe",
    "AWS::SES::MailManagerRuleSet",
    "AWS::SES::ReceiptRule",
    "AWS::SSM::ResourceDataSync",
    "AWS::SecretsManager::RotationSchedule",
)

STORES: Final[Mapping[str, tuple[Store, ...]]] = {
    **dict.fromkeys(_KEEPS_NOTHING, ()),
    "AWS::AmazonMQ::Broker": (Store("EncryptionOptions.KmsKeyId"),),
    "AWS::Athena::WorkGroup": (
        Store(
            "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey",
            NOT_ENCRYPTED,
            part="query results",
            where="WorkGroupConfiguration.ResultConfiguration",
        ),
    ),
    "AWS::Backup::BackupVault": (Store("EncryptionKeyArn", AWS_MANAGED),),
    "AWS::Backup::LogicallyAirGappedBackupVault": (Store("EncryptionKeyArn"),),
    "AWS::CloudTrail::Trail": (Store("KMSKeyId"),),
    "AWS::CloudTrail::EventDataStore": (Store("KmsKeyId"),),
    "AWS::Cognito::UserPool": (Store("KeyConfiguration.KmsKeyArn"),),
    "AWS::DAX::Cluster": (Store("", switch="SSESpecification.SSEEnabled"),),
    "AWS::DMS::ReplicationInstance": (Store("KmsKeyId", AWS_MANAGED),),
    "AWS::DocDB::DBCluster": (Store("KmsKeyId", AWS_MANAGED, "StorageEncrypted"), _MANAGED_MASTER),
    "AWS::DocDBElastic::Cluster": (Store("KmsKeyId"),),
    "AWS::EC2::Volume": (Store("KmsKeyId", AWS_MANAGED, "Encrypted"),),
    "AWS::ECS::Cluster": (
        Store(
            "Configuration.ManagedStorageConfiguration.FargateEphemeralStorageKmsKeyId",
            part="ephemeral storage",
        ),
        Store(
            "Configuration.ExecuteCommandConfiguration.KmsKeyId",
            NOT_ENCRYPTED,
            part="sessions of ECS Exec",
            where="Configuration.ExecuteCommandConfiguration",
        ),
    ),
    "AWS::EFS::FileSystem": (Store("KmsKeyId", AWS_MANAGED, "Encrypted"),),
    "AWS::ElastiCache::CacheCluster": (Store("", NOT_ENCRYPTED),),
    "AWS::ElastiCache::ReplicationGroup": (Store("KmsKeyId", AWS_OWNED, "AtRestEncryptionEnabled"),),
    "AWS::ElastiCache::ServerlessCache": (Store("KmsKeyId"),),
    "AWS::Elasticsearch::Domain": (
        Store("EncryptionAtRestOptions.KmsKeyId", AWS_MANAGED, "EncryptionAtRestOptions.Enabled"),
    ),
    "AWS::FSx::FileSystem": (Store("KmsKeyId", AWS_MANAGED),),
    "AWS::Kinesis::Stream": (Store("StreamEncryption.KeyId", NOT_ENCRYPTED),),
    "AWS::Lambda::Function": (Store("KmsKeyArn", AWS_MANAGED, part="environment", where="Environment.Variables"),),
    "AWS::Logs::LogGroup": (Store("KmsKeyId"),),
    "AWS::MSK::Cluster": (Store("EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId", AWS_MANAGED),),
    "AWS::MemoryDB::Cluster": (Store("KmsKeyId"),),
    "AWS::Neptune::DBCluster": (Store("KmsKeyId", AWS_MANAGED, "StorageEncrypted"),),
    "AWS::NeptuneGraph::Graph": (Store("KmsKeyIdentifier"),),
    "AWS::OpenSearchService::Domain": (
        Store("EncryptionAtRestOptions.KmsKeyId", AWS_MANAGED, "EncryptionAtRestOptions.Enabled"),
    ),
    "AWS::RDS::DBCluster": (
        Store("KmsKeyId", AWS_MANAGED, "StorageEncrypted"),
        Store("PerformanceInsightsKmsKeyId", AWS_MANAGED, part=_PERFORMANCE, where="PerformanceInsightsEnabled"),
        _MANAGED_MASTER,
    ),
    "AWS::RDS::DBInstance": (
        Store("KmsKeyId", AWS_MANAGED, "StorageEncrypted"),
        Store("PerformanceInsightsKMSKeyId", AWS_MANAGED, part=_PERFORMANCE, where="EnablePerformanceInsights"),
        _MANAGED_MASTER,
        Store(
            "AutomaticBackupReplicationKmsKeyId",
            NOT_ENCRYPTED,
            part="backups in another region",
            where="AutomaticBackupReplicationRegion",
        ),
    ),
    "AWS::RDS::GlobalCluster": (Store("", switch="StorageEncrypted"),),
    "AWS::Redshift::Cluster": (
        Store("KmsKeyId", AWS_OWNED, "Encrypted", on=True),
        Store("MasterPasswordSecretKmsKeyId", AWS_MANAGED, part=_MASTER, where="ManageMasterPassword"),
    ),
    "AWS::RedshiftServerless::Namespace": (
        Store("KmsKeyId"),
        Store("AdminPasswordSecretKmsKeyId", AWS_MANAGED, part=_MASTER, where="ManageAdminPassword"),
    ),
    "AWS::SageMaker::Domain": (Store("KmsKeyId", AWS_MANAGED),),
    "AWS::SageMaker::NotebookInstance": (Store("KmsKeyId", AWS_OWNED),),
    "AWS::SageMaker::EndpointConfig": (Store("KmsKeyId", AWS_OWNED),),
    "AWS::SNS::Topic": (Store("KmsMasterKeyId", NOT_ENCRYPTED),),
    "AWS::SecretsManager::Secret": (Store("KmsKeyId", AWS_MANAGED),),
    "AWS::StepFunctions::Activity": (Store("EncryptionConfiguration.KmsKeyId"),),
    "AWS::StepFunctions::StateMachine": (Store("EncryptionConfiguration.KmsKeyId"),),
    "AWS::Synthetics::Canary": (Store("ArtifactConfig.S3Encryption.KmsKeyArn", part="artifacts"),),
    "AWS::Timestream::Database": (Store("KmsKeyId", AWS_MANAGED),),
    "AWS::WorkSpaces::Workspace": (
        Store("VolumeEncryptionKey", NOT_ENCRYPTED, "RootVolumeEncryptionEnabled", part="root volume"),
        Store("VolumeEncryptionKey", NOT_ENCRYPTED, "UserVolumeEncryptionEnabled", part="user volume"),
    ),
}
"""Of types whose own properties say it in one place each; `rest.py` reads those that say it otherwise."""
