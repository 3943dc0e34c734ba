"""What wraps data keys and alone can unwrap them: AWS KMS, or on one machine a key file.

A data key is made wrapped, for one person and one purpose, and unwrapped only by who names both again: as the
encryption context, which IAM policies judge and CloudTrail records
(https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html).
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis import aws
from chassis.sealing.cells import KEY_BYTES, joined

if TYPE_CHECKING:
    from uuid import UUID

    from mypy_boto3_kms import KMSClient

Purpose = Literal["messages", "memories"]
Context = Mapping[str, str]

_NONCE_BYTES = 12


class KeyServiceUnavailable(ConnectionError):
    """The key service does not answer, or does not let this process use the key."""


class CannotUnwrap(Exception):
    """The wrapped key is not one of this key service, or not of this context."""


class KeyService(Protocol):
    """Wraps and unwraps; its calls may take as long as the network does, so not in an event loop."""

    def generate(self, context: Context) -> bytes:
        """A new data key, wrapped: nobody has seen it.

        Raises:
            KeyServiceUnavailable: it could not be made.
        """
        ...

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """The data key.

        Raises:
            CannotUnwrap: it was not wrapped here, or in another context.
            KeyServiceUnavailable: it could not be unwrapped now.
        """
        ...


def context(purpose: Purpose, user_id: UUID) -> Context:
    """What a person's data key for ``purpose`` is wrapped with."""
    return {"app": "sanctum", "purpose": purpose, "user_id": str(user_id)}


def key_service(location: str) -> KeyService:
    """The key at ``location``: the ARN of a KMS key, or the absolute path of a file with 32 random bytes."""
    return AwsKeyService(location) if location.startswith("arn:") else FileKeyService(Path(location))


class AwsKeyService:
    """A KMS key.

    Args:
        key: Its ARN.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    @cached_property
    def _client(self) -> KMSClient:
        return aws.kms()

    def generate(self, context: Context) -> bytes:
        """See ``KeyService``."""
        with _telling():
            made = self._client.generate_data_key_without_plaintext(
                KeyId=self._key, KeySpec="AES_256", EncryptionContext=context
            )
        return made["CiphertextBlob"]

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """See ``KeyService``."""
        with _telling():
            # The key is named, or KMS would take any that the ciphertext names and this role may use.
            opened = self._client.decrypt(KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext=context)
        return opened["Plaintext"]


_NOT_OURS = ("IncorrectKeyException", "InvalidCiphertextException")
"""KMS says the latter of a context that does not fit, too."""


@contextmanager
def _telling() -> Generator[None]:
    """Raises KMS's errors as this module's."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - one machine never needs it

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_OURS:
            raise CannotUnwrap("the wrapped key is not of this KMS key in this context") from None
        raise KeyServiceUnavailable(f"AWS KMS: {code}") from error
    except BotoCoreError as error:
        raise KeyServiceUnavailable("AWS KMS does not answer") from error


class FileKeyService:
    """A key file, for one machine: whoever reads it can unwrap everything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cipher: AESGCM | None = None

    def generate(self, context: Context) -> bytes:
        """See ``KeyService``."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._key().encrypt(nonce, os.urandom(KEY_BYTES), _bytes(context))

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """See ``KeyService``."""
        try:
            return self._key().decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _bytes(context))
        except (InvalidTag, ValueError):
            raise CannotUnwrap("the wrapped key was not made with this key file in this context") from None

    def _key(self) -> AESGCM:
        if self._cipher is None:
            try:
                self._cipher = AESGCM(self._path.read_bytes())
            except (OSError, ValueError) as error:
                raise KeyServiceUnavailable(f"the key file {self._path} cannot be used") from error
        return self._cipher


def _bytes(context: Context) -> bytes:
    return joined(*(part for name in sorted(context) for part in (name, context[name])))
