"""Which resource types hold what a deployment cannot bring back, and what that is.

The list goes beyond CloudFormation's own of types whose removal loses data (`StatefulResources` in cfn-lint), which a
test holds it against: keys, secrets, names that others have been told.
"""

from typing import Final

HOLDS: Final = {
    "AWS::ACMPCA::CertificateAuthority": "the private key that certificates are signed with",
    "AWS::AmazonMQ::Broker": "messages that were not delivered",
    "AWS::Backup::BackupVault": "backups",
    "AWS::Backup::LogicallyAirGappedBackupVault": "backups",
    "AWS::Bedrock::KnowledgeBase": "indexed documents",
    "AWS::Cassandra::Keyspace": "tables",
    "AWS::Cassandra::Table": "rows",
    "AWS::CloudHSM::Cluster": "keys",
    "AWS::CloudTrail::EventDataStore": "events",
    "AWS::Cognito::IdentityPool": "identities of people",
    "AWS::Cognito::UserPool": "accounts of people",
    "AWS::DAX::Cluster": "writes that are in memory alone",
    "AWS::DocDB::DBCluster": "documents",
    "AWS::DocDB::DBInstance": "the way to the documents",
    "AWS::DocDB::GlobalCluster": "the copies of a database in other regions",
    "AWS::DocDBElastic::Cluster": "documents",
    "AWS::DSQL::Cluster": "rows",
    "AWS::DynamoDB::GlobalTable": "items",
    "AWS::DynamoDB::Table": "items",
    "AWS::EC2::EIP": "an address that others have been told",
    "AWS::EC2::Volume": "a disk",
    "AWS::ECR::Repository": "images",
    "AWS::EFS::FileSystem": "files",
    "AWS::EKS::Cluster": "all that was told to the cluster",
    "AWS::EMR::Cluster": "files of its own file system",
    "AWS::ElastiCache::CacheCluster": "what is in memory alone",
    "AWS::ElastiCache::ReplicationGroup": "what is in memory alone",
    "AWS::ElastiCache::ServerlessCache": "what is in memory alone",
    "AWS::Elasticsearch::Domain": "indexes",
    "AWS::Events::Archive": "events",
    "AWS::FSx::FileSystem": "files",
    "AWS::FSx::Volume": "files",
    "AWS::Glue::Database": "descriptions of tables",
    "AWS::Glue::Table": "the description of a table",
    "AWS::IAM::AccessKey": "a key that others have been told",
    "AWS::KMS::Key": "the key without which what it encrypts is lost",
    "AWS::KMS::ReplicaKey": "the key without which what it encrypts is lost",
    "AWS::Kinesis::Stream": "records",
    "AWS::KinesisVideo::Stream": "videos",
    "AWS::Lightsail::Database": "rows",
    "AWS::Logs::LogGroup": "logs",
    "AWS::MSK::Cluster": "messages",
    "AWS::MSK::ServerlessCluster": "messages",
    "AWS::MemoryDB::Cluster": "what is in memory and its log",
    "AWS::Neptune::DBCluster": "graphs",
    "AWS::Neptune::DBInstance": "the way to the graphs",
    "AWS::Neptune::GlobalCluster": "the copies of a database in other regions",
    "AWS::NeptuneGraph::Graph": "a graph",
    "AWS::OpenSearchServerless::Collection": "indexes",
    "AWS::OpenSearchService::Domain": "indexes",
    "AWS::Organizations::Account": "an account and all that is in it",
    "AWS::QLDB::Ledger": "a ledger",
    "AWS::RDS::DBCluster": "rows",
    "AWS::RDS::DBInstance": "rows, or the way to them",
    "AWS::RDS::GlobalCluster": "the copies of a database in other regions",
    "AWS::Redshift::Cluster": "rows",
    "AWS::RedshiftServerless::Namespace": "rows",
    "AWS::Route53::HostedZone": "names, and the name servers that others have been told",
    "AWS::S3::Bucket": "objects",
    "AWS::S3Express::DirectoryBucket": "objects",
    "AWS::S3Tables::Table": "rows",
    "AWS::S3Tables::TableBucket": "tables",
    "AWS::S3Vectors::Index": "vectors",
    "AWS::S3Vectors::VectorBucket": "vectors",
    "AWS::SDB::Domain": "items",
    "AWS::SQS::Queue": "messages that were not worked on",
    "AWS::SecretsManager::Secret": "a secret, with its versions",
    "AWS::Timestream::Database": "measurements",
    "AWS::Timestream::InfluxDBInstance": "measurements",
    "AWS::Timestream::Table": "measurements",
    "AWS::VerifiedPermissions::PolicyStore": "policies",
    "AWS::WorkSpaces::Workspace": "a desktop and its disk",
}
"""By type; "what is lost" reads on in a sentence."""

PROTECTS: Final = {
    "AWS::Backup::BackupPlan": "makes backups",
    "AWS::Backup::BackupSelection": "says what backups are made of",
}
"""Types without data of their own, without which data would no longer be protected."""

SNAPSHOT_BY_DEFAULT: Final = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
"""Those that CloudFormation keeps a snapshot of where no DeletionPolicy stands (an instance only outside a cluster).

<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
"""

OVERWRITTEN: Final = {"AWS::SecretsManager::Secret": ("GenerateSecretString", "SecretString")}
"""Properties whose change writes a new value over what is there, without replacing the resource.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html>
"""

EMPTIES: Final = {"Custom::S3AutoDeleteObjects": "BucketName", "Custom::ECRAutoDeleteImages": "RepositoryName"}
"""The CDK's own custom resources that delete what is in another resource, which the property names."""
