"""Secrets in files. Those in AWS Secrets Manager answer a client that botocore itself stubs."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.stub import Stubber
from chassis import aws
from chassis.secret_store import read_secret, write_secret
from mypy_boto3_secretsmanager import SecretsManagerClient

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keys-AbCdEf"


def test_a_secret_that_was_written_is_read(tmp_path: Path) -> None:
    location = str(tmp_path / "secret.json")
    assert read_secret(location) is None
    for value in ("{}", "Käse", ""):
        write_secret(location, value)
        assert read_secret(location) == value


def test_a_secret_in_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    location = tmp_path / "secret.json"
    location.touch(0o644)
    write_secret(str(location), "value")
    assert stat.S_IMODE(location.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.json"]


@pytest.fixture
def stubber(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client: SecretsManagerClient = aws.secrets_manager()
    monkeypatch.setattr(aws, "secrets_manager", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_secret_in_secrets_manager_is_read_by_its_arn(stubber: Stubber) -> None:
    answer = {"ARN": ARN, "Name": "keys", "SecretString": "value"}
    stubber.add_response("get_secret_value", answer, {"SecretId": ARN})
    assert read_secret(ARN) == "value"


def test_a_secret_without_a_value_is_none(stubber: Stubber) -> None:
    stubber.add_client_error("get_secret_value", "ResourceNotFoundException")
    assert read_secret(ARN) is None


def test_a_secret_in_secrets_manager_is_written_whole(stubber: Stubber) -> None:
    stubber.add_response("put_secret_value", {}, {"SecretId": ARN, "SecretString": "value"})
    write_secret(ARN, "value")
