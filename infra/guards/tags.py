"""The tags by which people and bills tell resources apart."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

APPLICATION = "sanctum"

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


def tag(scope: IConstruct, *, environment: str) -> None:
    """Tag everything in ``scope`` with application and environment, and what holds data with its classification."""
    tags = cdk.Tags.of(scope)
    tags.add("application", APPLICATION)
    tags.add("environment", environment)
    for classification in sorted({*CLASSIFICATION.values()}):
        types = [name for name, value in CLASSIFICATION.items() if value == classification]
        tags.add("classification", classification, include_resource_types=types)
