"""What an export of keys looks like: who lives, with their keys as the database has them, and nothing that says who.

``sanctum-keys/1\\n``, then records ``kind (1 byte) | length (4 bytes) | content``: one ``H`` (JSON: when, and the
epochs), an ``R`` a receipt of an erasure (JSON), a ``P`` a person in the order of their ids, one ``Z``: the HMAC-SHA256
of everything before it, with a key that comes from the active epoch's. Whoever changes an export, or leaves somebody
out, needs that epoch key. A person is ``user_id (16)`` and for each key ``purpose (1) | epoch (4) | length (2) |
wrapped``.
"""

import hmac
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, TypeVar, cast
from uuid import UUID

from chassis.sealing.cells import FORMAT, KEY_BYTES, joined
from chassis.sealing.key_service import Purpose
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pydantic import BaseModel, ValidationError

MAGIC = b"sanctum-keys/1\n"
_PURPOSES: tuple[Purpose, ...] = ("messages", "memories")
_RECORD = struct.Struct(">cI")
_KEY = struct.Struct(">BIH")
_PART_BYTES = 1 << 18
_LONGEST = 1 << 20
"""No record is that long, so a damaged length asks for no memory."""


class ExportDamaged(ValueError):
    """This is no whole export as it was written, or not one of these epoch keys."""


class Epoch(BaseModel, frozen=True):
    """A row of ``key_epochs``."""

    epoch: int
    created_at: datetime
    destroyed_at: datetime | None


class Header(BaseModel, frozen=True):
    """The beginning."""

    made_at: datetime
    complete_since: datetime
    """Whoever registered before and was not erased is in it; somebody who registered later may be missing."""
    active: int
    """The epoch that every key in it is wrapped in."""
    epochs: list[Epoch]


class Receipt(BaseModel, frozen=True):
    """A row of ``erasures``."""

    erasure_id: UUID
    erased_at: datetime
    epoch: int
    backups_unreadable_at: datetime | None


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A row of ``user_keys``, but for the person."""

    purpose: Purpose
    epoch: int
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who lives. Who has no keys yet is one of those whom a version of before there were keys registered."""

    user_id: UUID
    keys: tuple[WrappedKey, ...]


Record = Header | Receipt | Person
_Json = TypeVar("_Json", Header, Receipt)


class Encoder:
    """Turns records into the bytes of an export.

    Args:
        epoch_key: The key of the active epoch.
    """

    def __init__(self, epoch_key: bytes) -> None:
        self._mac = _mac(epoch_key)
        self.people = 0
        self.digest = b""
        """Of the whole, when it has come to its end."""

    async def encode(self, records: AsyncIterator[Record]) -> AsyncGenerator[bytes]:
        """The export, in parts."""
        part = bytearray(MAGIC)
        async for record in records:
            self.people += isinstance(record, Person)
            part += _encoded(record)
            if len(part) >= _PART_BYTES:
                self._mac.update(part)
                yield bytes(part)
                part.clear()
        self._mac.update(part)
        self.digest = self._mac.digest()
        yield bytes(part) + _RECORD.pack(b"Z", len(self.digest)) + self.digest


class Decoder:
    """Reads an export.

    Args:
        file: Where it is.
        epoch_key: Gives the key of an epoch.
    """

    def __init__(self, file: BinaryIO, epoch_key: Callable[[int], bytes]) -> None:
        self._file = file
        self._epoch_key = epoch_key
        self.people = 0
        self.digest = b""
        """Of the whole, when it has come to its end."""

    def header(self) -> Header:
        """The beginning, which is not to be relied on before ``records`` has come to its end.

        Raises:
            ExportDamaged: this is no export.
            EpochGone: the key of its epoch is gone, so there is a newer one.
        """
        if self._file.read(len(MAGIC)) != MAGIC:
            raise ExportDamaged("this is no export of keys of this version")
        head = self._file.read(_RECORD.size)
        kind, content = self._rest_of(head)
        if kind != b"H":
            raise ExportDamaged("an export begins with what it is")
        header = _parsed(Header, content)
        self._mac = _mac(self._epoch_key(header.active))
        self._mac.update(MAGIC + head + content)
        return header

    def records(self) -> Iterator[Receipt | Person]:
        """All that follows the header.

        Raises:
            ExportDamaged: at the latest at the end, so nothing is to be made good of before.
        """
        last = b""
        while True:
            head = self._file.read(_RECORD.size)
            kind, content = self._rest_of(head)
            if kind == b"Z":
                break
            self._mac.update(head + content)
            if kind == b"R":
                yield _parsed(Receipt, content)
                continue
            if kind != b"P" or content[:16] <= last:
                raise ExportDamaged("a record of this export is of no known kind, or out of order")
            last = content[:16]
            self.people += 1
            yield _person(content)
        self.digest = self._mac.digest()
        if not hmac.compare_digest(content, self.digest) or self._file.read(1):
            raise ExportDamaged("this export was changed, or is not of this epoch key")

    def _rest_of(self, head: bytes) -> tuple[bytes, bytes]:
        if len(head) < _RECORD.size:
            raise ExportDamaged("this export ends before its end")
        kind, length = cast("tuple[bytes, int]", _RECORD.unpack(head))
        content = self._file.read(length) if length < _LONGEST else b""
        if len(content) != length:
            raise ExportDamaged("this export ends before its end")
        return kind, content


def _mac(epoch_key: bytes) -> hmac.HMAC:
    key = HKDFExpand(SHA256(), KEY_BYTES, joined(FORMAT, "exports")).derive(epoch_key)
    return hmac.new(key, digestmod="sha256")


def _encoded(record: Record) -> bytes:
    if isinstance(record, Person):
        content = record.user_id.bytes + b"".join(
            _KEY.pack(_PURPOSES.index(key.purpose), key.epoch, len(key.wrapped)) + key.wrapped for key in record.keys
        )
        return _RECORD.pack(b"P", len(content)) + content
    content = record.model_dump_json().encode()
    return _RECORD.pack(b"H" if isinstance(record, Header) else b"R", len(content)) + content


def _person(content: bytes) -> Person:
    keys: list[WrappedKey] = []
    at = 16
    try:
        while at < len(content):
            purpose, epoch, length = cast("tuple[int, int, int]", _KEY.unpack_from(content, at))
            at += _KEY.size + length
            if at > len(content):
                raise ExportDamaged("a person's record in this export cannot be read")
            keys.append(WrappedKey(_PURPOSES[purpose], epoch, content[at - length : at]))
        return Person(UUID(bytes=content[:16]), tuple(keys))
    except (struct.error, ValueError, IndexError):
        raise ExportDamaged("a person's record in this export cannot be read") from None


def _parsed(kind: type[_Json], content: bytes) -> _Json:
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        raise ExportDamaged("a record of this export cannot be read") from None
