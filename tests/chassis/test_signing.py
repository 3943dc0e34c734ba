"""Requests signed with AWS Signature Version 4."""

import asyncio
from hashlib import sha256

import pytest
from chassis import aws
from chassis.signing import NoCredentials, Signer

from tests.support.aws import REGION, with_credentials, without_credentials

URL = "https://core.example/v1/users/1/memories?limit=100"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_request_is_signed_for_the_region_and_the_service(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with_credentials(monkeypatch, region_from=variable)
    headers = asyncio.run(Signer("vpc-lattice-svcs", sign_payload=False).headers("GET", URL))
    assert headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert headers["X-Amz-Security-Token"] == "a session of the tests"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert f"/{REGION}/vpc-lattice-svcs/aws4_request" in headers["Authorization"]


def test_the_payload_is_part_of_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials(monkeypatch)
    signer = Signer("es", sign_payload=True)

    def signature(body: bytes) -> str:
        headers = asyncio.run(signer.headers("POST", URL, body))
        assert "UNSIGNED-PAYLOAD" not in headers.values()
        return headers["Authorization"].rpartition("Signature=")[2]

    assert len({signature(body) for body in (b"one", b"two", b"")}) == 3
    assert all(len(signature(body)) == len(sha256().hexdigest()) for body in (b"one", b""))


def test_without_credentials_or_a_region_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    with pytest.raises(NoCredentials):
        Signer("es", sign_payload=True)
    with_credentials(monkeypatch)
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(NoCredentials):
        Signer("es", sign_payload=True)


def test_every_client_is_in_the_region_that_the_task_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials(monkeypatch)
    assert [client.meta.region_name for client in (aws.secrets_manager(), aws.rds())] == [REGION, REGION]
