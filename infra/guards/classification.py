"""What is in a resource, by its type."""

from collections.abc import Mapping

CLASSIFICATION: Mapping[str, str] = {
    "AWS::RDS::DBCluster": "personal",
    "AWS::RDS::DBInstance": "personal",
    "AWS::OpenSearchService::Domain": "personal",
    "AWS::Backup::BackupVault": "personal",
    "AWS::KMS::Key": "secret",
    "AWS::KMS::ReplicaKey": "secret",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::Logs::LogGroup": "internal",
    "AWS::S3::Bucket": "internal",
}
"""What a resource of a type holds: people's words and addresses, what opens or signs them, or neither."""
