"""A data key is unwrapped by its key service, for its person and purpose, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from botocore.stub import Stubber
from chassis import aws
from chassis.sealing.key_service import CannotUnwrap, KeyService, KeyServiceUnavailable, context, key_service
from moto import mock_aws

from tests.support.aws import with_credentials

ALICE, MALLORY = UUID(int=1), UUID(int=2)
if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import CreateKeyResponseTypeDef

Make = Callable[[], str]


@pytest.fixture(params=["file", "kms"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes another key each time; gives its location."""
    if request.param == "file":

        def file() -> str:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.key"
            path.write_bytes(bytes([len(path.name)]) * 31 + bytes([len(list(tmp_path.iterdir()))]))
            return str(path)

        yield file
        return
    with_credentials(monkeypatch)
    with mock_aws():
        yield lambda: _arn(aws.kms().create_key())


def _arn(made: CreateKeyResponseTypeDef) -> str:
    arn = made["KeyMetadata"].get("Arn")
    assert arn
    return arn


@pytest.fixture
def service(make: Make) -> KeyService:
    return key_service(make())


def test_a_data_key_is_32_bytes_and_unwraps_to_the_same_each_time(service: KeyService) -> None:
    wrapped = service.generate(context("messages", ALICE))
    keys = {service.unwrap(wrapped, context("messages", ALICE)) for _ in range(3)}
    assert [len(key) for key in keys] == [32]
    assert not any(key in wrapped for key in keys)


def test_no_two_data_keys_are_the_same(service: KeyService) -> None:
    mine = context("messages", ALICE)
    assert len({service.unwrap(service.generate(mine), mine) for _ in range(20)}) == 20


@pytest.mark.parametrize("other", [context("memories", ALICE), context("messages", MALLORY), {}])
def test_another_purpose_or_person_unwraps_nothing(service: KeyService, other: dict[str, str]) -> None:
    wrapped = service.generate(context("messages", ALICE))
    with pytest.raises(CannotUnwrap):
        service.unwrap(wrapped, other)


def test_another_key_file_unwraps_nothing(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("first", "second"))
    first.write_bytes(bytes(32))
    second.write_bytes(bytes([1] * 32))
    wrapped = key_service(str(first)).generate(context("messages", ALICE))
    with pytest.raises(CannotUnwrap):
        key_service(str(second)).unwrap(wrapped, context("messages", ALICE))


def test_what_was_changed_unwraps_nothing(service: KeyService) -> None:
    wrapped = bytearray(service.generate(context("messages", ALICE)))
    wrapped[-1] ^= 1
    with pytest.raises(CannotUnwrap):
        service.unwrap(bytes(wrapped), context("messages", ALICE))


def test_a_key_file_that_is_not_there_is_told_as_unavailable(tmp_path: Path) -> None:
    with pytest.raises(KeyServiceUnavailable, match="gone"):
        key_service(str(tmp_path / "gone")).generate(context("messages", ALICE))


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("IncorrectKeyException", CannotUnwrap),
        ("InvalidCiphertextException", CannotUnwrap),
        ("AccessDeniedException", KeyServiceUnavailable),
        ("DisabledException", KeyServiceUnavailable),
        ("KMSInvalidStateException", KeyServiceUnavailable),
    ],
)
def test_kms_is_asked_for_this_key_and_its_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch, code: str, raised: type[Exception]
) -> None:
    """Not against moto, which looks neither at the key that is named nor at its state."""
    with_credentials(monkeypatch)
    client = aws.kms()
    monkeypatch.setattr(aws, "kms", lambda: client)
    asked = {"KeyId": "arn:aws:kms:…", "CiphertextBlob": b"wrapped", "EncryptionContext": context("messages", ALICE)}
    with Stubber(client) as stub:
        stub.add_client_error("decrypt", code, expected_params=asked)
        with pytest.raises(raised):
            key_service("arn:aws:kms:…").unwrap(b"wrapped", context("messages", ALICE))
