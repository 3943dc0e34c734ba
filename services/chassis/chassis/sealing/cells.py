"""A cell: what a store keeps of one person's one thing, readable with that person's data key and in its place only.

``0x01 | nonce (12 bytes) | ciphertext and tag``: AES-256-GCM (NIST SP 800-38D), 29 bytes longer than what it holds. The
additional data are who it belongs to and where it stands, so that a cell that was moved to another row, column or
person does not open. They name neither the version of a key nor an epoch: wrapping a key anew changes no cell.
"""

import os
import struct
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

FORMAT = b"sanctum/1"
KEY_BYTES = 32
SEALED = 1
"""The first byte of a cell; another one is another way of keeping."""
_HEAD = bytes([SEALED])
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """What is stored is not what this person's key sealed in this place. Shows nothing of it."""


@dataclass(frozen=True)
class Field:
    """Where cells of one kind stand."""

    table: str
    column: str


class PersonKey:
    """Seals and opens one person's cells.

    Args:
        user_id: Whose they are.
        data_key: ``KEY_BYTES`` random bytes, the person's own for one purpose.
    """

    __slots__ = ("_data_key", "_fields", "_user")

    def __init__(self, user_id: UUID, data_key: bytes) -> None:
        if len(data_key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        self._user = user_id.bytes
        self._data_key = data_key
        self._fields: dict[Field, tuple[AESGCM, bytes]] = {}

    def seal(self, field: Field, row_id: UUID, plain: bytes) -> bytes:
        """The cell of ``plain``; another one each time."""
        cipher, place = self._field(field)
        nonce = os.urandom(_NONCE_BYTES)
        return _HEAD + nonce + cipher.encrypt(nonce, plain, place + row_id.bytes)

    def open(self, field: Field, row_id: UUID, cell: bytes) -> bytes:
        """What was sealed for this row.

        Raises:
            CannotOpen: it was not, or was changed since.
        """
        if cell[:1] != _HEAD:
            raise CannotOpen("not a sealed cell")
        cipher, place = self._field(field)
        try:
            return cipher.decrypt(cell[1 : 1 + _NONCE_BYTES], cell[1 + _NONCE_BYTES :], place + row_id.bytes)
        except (InvalidTag, ValueError):  # too short for a nonce and a tag
            raise CannotOpen("the cell is not this person's, not of this place, or was changed") from None

    def subkey(self, purpose: str) -> bytes:
        """A key of its own for something else that is this person's (RFC 5869)."""
        return HKDFExpand(SHA256(), KEY_BYTES, joined(FORMAT, purpose)).derive(self._data_key)

    def _field(self, field: Field) -> tuple[AESGCM, bytes]:
        known = self._fields.get(field)
        if known is None:
            cipher = AESGCM(self.subkey(field.table))
            known = self._fields[field] = cipher, _place(self._user, field)
        return known


@cache
def _field_name(field: Field) -> bytes:
    return joined(field.table, field.column)


def _place(user: bytes, field: Field) -> bytes:
    """All of the additional data but the row's id, whose length is given already."""
    return joined(FORMAT, user) + _field_name(field) + struct.pack(">I", 16)


def joined(*parts: bytes | str) -> bytes:
    """``parts`` one after another, each after its length: no two lists of parts have the same result."""
    encoded = (part if isinstance(part, bytes) else part.encode() for part in parts)
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)
