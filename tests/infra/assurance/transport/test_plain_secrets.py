"""A secret in a template is found by its name, its shape or its looks, and is told by the name it goes by."""

import base64
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.transport.posture import postures
from infra.assurance.transport.posture.telltale import is_called_secret
from tests.infra.assurance.transport.reading import Json, model_of, resource

# Put together, so that no search for secrets in source code finds them here.
AWS_KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl"
RANDOM = "q7Zp4XbT" + "9LmV2cRk" + "8YwN3dHf"


def _found(folder: Path, kind: str, /, more: Json | None = None, **properties: Any) -> list[str]:
    model = model_of(folder, {"Thing": resource(kind, path="thing", **properties), **(more or {})})
    found = [fact["value"] for fact in postures(model) if fact["quality"] == "secret in plain sight"]
    assert not [str(refused) for refused in model.refusals]
    return found


def _task(**environment: Any) -> Json:
    variables = [{"Name": name, "Value": value} for name, value in environment.items()]
    return {"ContainerDefinitions": [{"Name": "c", "Image": "i", "Environment": variables}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("DB_PASSWORD", "123456"),
        ("dbPassword", "hunter2"),
        ("PASSWORD_2", "hunter2"),
        ("API_KEY", "abcdef"),
        ("SESSION_SECRET", "s3cr3t"),
        ("AUTH_TOKEN", "t0ken"),
        ("DATABASE", "postgres://admin:hunter2@db.internal/users"),
        (
            "DATABASE",
            {"Fn::Join": ["", ["postgres://admin:hunter2@", {"Fn::GetAtt": ["Database", "Endpoint.Address"]}]]},
        ),
        ("PASSWORD", {"Ref": "Given"}),
        ("SETTING", AWS_KEY),
        ("SETTING", JWT),
        ("SETTING", RANDOM),
        ("SETTING", "0123456789abcdef" * 4),
        ("SETTING", "-----BEGIN " + "RSA PRIVATE KEY-----\nabc"),
    ],
)
def test_a_variable_that_holds_a_secret_is_told_by_its_name(tmp_path: Path, name: str, value: Any) -> None:
    task = {"Thing": resource("AWS::ECS::TaskDefinition", path="thing", **_task(**{name: value}))}
    database = {"Database": resource("AWS::RDS::DBCluster", Engine="aurora-postgresql")}
    given = {"Given": {"Type": "String", "NoEcho": True, "Default": "hunter2"}}
    model = model_of(tmp_path, {**task, **database}, Parameters=given)
    secrets = [fact.values for fact in postures(model) if fact["quality"] == "secret in plain sight"]
    assert secrets == [("thing", "secret in plain sight", name)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", "{{resolve:secretsmanager:db:SecretString:password}}"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("TOKEN_TTL_SECONDS", "900"),
        ("REQUIRE_PASSWORD", "true"),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:x"),
        ("SECRET", {"Ref": "Secret"}),
        ("SECRET", "named"),
        ("SIGNING_KEYS_SECRET", {"Ref": "Secret"}),
        ("API_KEY", ""),
        ("PRIVATE_KEY", "/run/keys/private.pem"),
        ("ENDPOINT", "https://user@example.com/path:8080"),
        ("DATABASE", "postgres://admin:${PASSWORD}@db/users"),
        ("MODEL_NAME", "us.amazon.nova-lite-v1:0"),
        ("BUILD_HASH", "0123456789abcdef" * 4),
        ("NAME", {"Fn::GetAtt": ["Secret", "Id"]}),
        ("CALLER_AUTH", "sigv4"),
        ("CONTEXT_TOKENS", "8192"),
    ],
)
def test_a_variable_about_a_secret_is_none(tmp_path: Path, name: str, value: Any) -> None:
    secret = {"Secret": resource("AWS::SecretsManager::Secret", Name="named")}
    assert not _found(tmp_path, "AWS::ECS::TaskDefinition", secret, **_task(**{name: value}))


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::Lambda::Function", {"Environment": {"Variables": {"DB_PASSWORD": "hunter2"}}}, "DB_PASSWORD"),
        ("AWS::Lambda::Function", {"Environment": {"Variables": {"setting": RANDOM}}}, "setting"),
        ("AWS::Lambda::Function", {"Environment": {"Variables": {"SETTING": RANDOM}}}, "SETTING"),
        ("AWS::CodeBuild::Project",
         {"Environment": {"EnvironmentVariables": [{"Name": "NPM_TOKEN", "Value": "abc123"}]}}, "NPM_TOKEN"),
        ("AWS::CodeBuild::Project", {"Environment": {"EnvironmentVariables": [
            {"Name": "NPM_TOKEN", "Type": "SECRETS_MANAGER", "Value": "npm:token"}]}}, None),
        ("AWS::Glue::Job", {"DefaultArguments": {"--db_password": "hunter2"}}, "--db_password"),
        ("AWS::RDS::DBCluster", {"Engine": "aurora-mysql", "MasterUserPassword": "hunter2"}, "MasterUserPassword"),
        ("AWS::RDS::DBCluster", {"Engine": "aurora-mysql", "MasterUserPassword":
            {"Fn::Join": ["", ["{{resolve:secretsmanager:", "x", ":SecretString:password}}"]]}}, None),
        ("AWS::SecretsManager::Secret", {"SecretString": "hunter2"}, "SecretString"),
        ("AWS::SecretsManager::Secret", {"GenerateSecretString": {"SecretStringTemplate": '{"username":"a"}',
         "GenerateStringKey": "password"}}, None),
        ("AWS::SSM::Parameter", {"Name": "/app/db/password", "Type": "String", "Value": "hunter2"}, "/app/db/password"),
        ("AWS::SSM::Parameter", {"Name": "/app/region", "Type": "String", "Value": "eu-west-1"}, None),
        ("AWS::ElastiCache::ReplicationGroup", {"AuthToken": "hunter2hunter2hunter2"}, "AuthToken"),
        ("AWS::EC2::Instance", {"UserData": {"Fn::Base64": "#!/bin/sh\nexport DB_PASSWORD=hunter2\n"}}, "UserData"),
        ("AWS::EC2::Instance", {"UserData": base64.b64encode(b"export DB_PASSWORD='hunter2'").decode()}, "UserData"),
        ("AWS::EC2::Instance", {"UserData": {"Fn::Base64": "export DB_PASSWORD=$(aws secretsmanager get)"}}, None),
        ("AWS::ECS::TaskDefinition", {"ContainerDefinitions": [{"Name": "c", "Image": "i",
         "Command": ["run", "--db-password", "hunter2"]}]}, "Command"),
        ("AWS::ECS::TaskDefinition", {"ContainerDefinitions": [{"Name": "c", "Image": "i",
         "Command": ["run", "--password-file", "/run/secret", "--verbose-tokens"]}]}, None),
        ("AWS::CodePipeline::Pipeline", {"Stages": [{"Actions": [{"Configuration": {"OAuthToken": "abc123"}}]}]},
         "OAuthToken"),
        ("AWS::Cognito::UserPoolClient", {"TokenValidityUnits": {"AccessToken": "hours"}}, None),
        ("AWS::SNS::Subscription", {"Endpoint": "https://user:hunter2@example.com/"}, "Endpoint"),
        ("AWS::DynamoDB::Table", {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}, None),
        ("AWS::S3::Bucket", {"Tags": [{"Key": "secret", "Value": "no"}]}, None),
        ("Custom::Any", {"ServiceToken": "arn:aws:lambda:us-east-1:1:function:f", "Password": "hunter2"}, "Password"),
    ],
)  # fmt: skip
def test_a_secret_is_found_wherever_a_type_keeps_it(
    tmp_path: Path, kind: str, properties: Json, expected: str | None
) -> None:
    found = _found(tmp_path, kind, **properties)
    assert found == ([expected] if expected else [])


def test_a_value_that_cannot_be_resolved_is_refused(tmp_path: Path) -> None:
    task = _task(DB_PASSWORD={"Fn::Mystery": "x"})
    model = model_of(tmp_path, {"Thing": resource("AWS::ECS::TaskDefinition", path="thing", **task)})
    postures(model)
    assert any("Fn::Mystery" in str(refused) for refused in model.refusals)


@pytest.mark.parametrize(
    "name", ["KmsKeyId", "SecretName", "HttpTokens", "ClientToken", "PartitionKey", "EncryptionKeyArn"]
)
def test_names_of_properties_that_speak_about_secrets_are_none(name: str) -> None:
    assert not is_called_secret(name)
