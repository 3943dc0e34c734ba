"""How stores are encrypted, and with whose key."""

from pathlib import Path

import pytest

from infra.assurance.transport import keyed_types
from infra.assurance.transport.rest import KEYED_TYPES, at_rest
from tests.infra.assurance.transport.reading import Json, model_of, resource, rest_of

KEY = {"Fn::GetAtt": ["Key", "Arn"]}
OWN = ("AES-256, own key", "key")
OWNED, MANAGED, NOT = ("AWS-owned key", "AWS"), ("AWS-managed key", "AWS"), ("none", "none")


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::RDS::DBCluster", {"Engine": "aurora-postgresql", "StorageEncrypted": True, "KmsKeyId": KEY}, OWN),
        ("AWS::RDS::DBCluster", {"Engine": "aurora-postgresql", "StorageEncrypted": "true"}, MANAGED),
        ("AWS::RDS::DBCluster", {"Engine": "aurora-postgresql", "StorageEncrypted": False, "KmsKeyId": KEY}, NOT),
        ("AWS::RDS::DBCluster", {"Engine": "aurora-postgresql"}, ("only as AWS does by itself", "AWS")),
        ("AWS::RDS::DBCluster", {"Engine": "aurora", "KmsKeyId": KEY}, ("only as AWS does by itself", "AWS")),
        ("AWS::RDS::DBInstance", {"Engine": "postgres"}, NOT),
        ("AWS::OpenSearchService::Domain", {"EncryptionAtRestOptions": {"Enabled": "true", "KmsKeyId": KEY}}, OWN),
        ("AWS::OpenSearchService::Domain", {"EncryptionAtRestOptions": {"KmsKeyId": KEY}}, NOT),
        ("AWS::OpenSearchService::Domain", {}, NOT),
        ("AWS::Logs::LogGroup", {"KmsKeyId": KEY}, OWN),
        ("AWS::Logs::LogGroup", {}, OWNED),
        ("AWS::SecretsManager::Secret", {"KmsKeyId": {"Ref": "Alias"}}, OWN),
        ("AWS::SecretsManager::Secret", {"KmsKeyId": "alias/aws/secretsmanager"},
         ("AWS-managed key", "alias/aws/secretsmanager")),
        ("AWS::SecretsManager::Secret", {}, MANAGED),
        ("AWS::SNS::Topic", {}, NOT),
        ("AWS::SQS::Queue", {}, OWNED),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": False}, NOT),
        ("AWS::SQS::Queue", {"KmsMasterKeyId": "arn:aws:kms:eu-west-1:999988887777:key/abc"},
         ("AES-256, key that is not in the assembly", "arn:aws:kms:eu-west-1:999988887777:key/abc")),
        ("AWS::S3::Bucket", {}, OWNED),
        ("AWS::S3::Bucket", {"BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]}}, OWN),
        ("AWS::S3::Bucket", {"BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}, MANAGED),
        ("AWS::DynamoDB::Table", {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": KEY}}, OWN),
        ("AWS::DynamoDB::Table", {"SSESpecification": {"SSEEnabled": False, "KMSMasterKeyId": KEY}}, OWNED),
        ("AWS::EC2::Volume", {}, NOT),
        ("AWS::EFS::FileSystem", {"Encrypted": True}, MANAGED),
        ("AWS::ECR::Repository", {"EncryptionConfiguration": {"EncryptionType": "KMS"}}, MANAGED),
        ("AWS::Kinesis::Stream", {}, NOT),
        ("AWS::ElastiCache::ReplicationGroup", {"AtRestEncryptionEnabled": True, "KmsKeyId": KEY}, OWN),
        ("AWS::Events::EventBus", {"KmsKeyIdentifier": KEY}, OWN),
        ("AWS::Events::EventBus", {}, ("AWS-owned or AWS-managed key", "AWS")),
    ],
)  # fmt: skip
def test_a_store_is_encrypted_as_its_properties_say(
    tmp_path: Path, kind: str, properties: Json, expected: tuple[str, str]
) -> None:
    resources = {
        "Key": resource("AWS::KMS::Key", path="key"),
        "Alias": resource("AWS::KMS::Alias", AliasName="alias/mine", TargetKeyId={"Ref": "Key"}),
        "Store": resource(kind, path="store", **properties),
    }
    assert rest_of(model_of(tmp_path, resources))["store"] == expected


def test_an_alias_by_name_is_the_stacks_own(tmp_path: Path) -> None:
    resources = {
        "Key": resource("AWS::KMS::Key", path="key"),
        "Alias": resource("AWS::KMS::Alias", AliasName="alias/mine", TargetKeyId={"Ref": "Key"}),
        "Store": resource("AWS::SNS::Topic", path="store", KmsMasterKeyId="alias/mine"),
    }
    assert rest_of(model_of(tmp_path, resources))["store"] == OWN


def test_parts_of_a_resource_that_keep_data_of_their_own_are_stores_of_their_own(tmp_path: Path) -> None:
    database = {
        "Engine": "aurora-postgresql",
        "StorageEncrypted": True,
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsKmsKeyId": KEY,
        "ManageMasterUserPassword": True,
    }
    member = {"Engine": "aurora-postgresql", "DBClusterIdentifier": {"Ref": "Database"}}
    project = {"Artifacts": {"Type": "S3", "EncryptionDisabled": True}}
    stores: list[Json] = [
        {"Region": "us-east-1", "ArtifactStore": {"EncryptionKey": {"Id": KEY}}},
        {"Region": "us-west-2", "ArtifactStore": {}},
    ]
    resources = {
        "Key": resource("AWS::KMS::Key", path="key"),
        "Database": resource("AWS::RDS::DBCluster", path="database", **database),
        "Member": resource("AWS::RDS::DBInstance", path="member", **member),
        "Project": resource("AWS::CodeBuild::Project", path="project", **project),
        "Pipeline": resource("AWS::CodePipeline::Pipeline", path="pipeline", ArtifactStores=stores),
        "Machine": resource("AWS::EC2::Instance", path="machine", ImageId="ami-1", BlockDeviceMappings=[
            {"DeviceName": "/dev/a", "Ebs": {"Encrypted": True, "KmsKeyId": {"Ref": "Key"}}},
            {"DeviceName": "/dev/b", "Ebs": {}},
        ]),
    }  # fmt: skip
    assert rest_of(model_of(tmp_path, resources)) == {
        "database": MANAGED,
        "database (performance insights)": OWN,
        "database (secret of the master user)": MANAGED,
        "project (artifacts)": NOT,
        "pipeline (artifacts in us-east-1)": OWN,
        "pipeline (artifacts in us-west-2)": MANAGED,
        "machine (volume /dev/a)": OWN,
        "machine (volume /dev/b)": NOT,
    }


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("AWS::Logs::LogGroup", {"KmsKeyId": "{{resolve:ssm:/key}}"}, "{{resolve:ssm:/key}}"),
        ("AWS::Glue::SecurityConfiguration", {}, "AWS::Glue::SecurityConfiguration"),
        ("AWS::RDS::DBInstance", {"Engine": "postgres", "StorageEncrypted": "perhaps"}, "perhaps"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(tmp_path: Path, kind: str, properties: Json, named: str) -> None:
    model = model_of(tmp_path, {"Store": resource(kind, path="store", **properties)})
    assert not at_rest(model)
    assert [(refused.where, named in refused.what) for refused in model.refusals] == [("store", True)]


def test_the_types_that_take_keys_are_those_of_the_schemas() -> None:
    assert KEYED_TYPES.read_text() == keyed_types.text(), (
        "make it again: python -m infra.assurance.transport.keyed_types"
    )
