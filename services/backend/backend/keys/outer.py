"""The outer wrap of a person's data key: what an epoch key adds around what the key service wrapped.

``nonce (12 bytes) | ciphertext and tag``: AES-256-GCM, bound to the person, the purpose and the epoch. Who has the
epoch key still needs the key service; without the epoch key the key service is of no use.
"""

import os
import struct
from functools import cache
from uuid import UUID

from chassis.sealing.cells import FORMAT, joined
from chassis.sealing.key_service import CannotUnwrap, Purpose
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_BEGIN = joined(FORMAT, "outer") + struct.pack(">I", 16)
"""Up to the person's id, with the length of that."""


def wrap(epoch_key: bytes, *, user_id: UUID, purpose: Purpose, epoch: int, inner: bytes) -> bytes:
    """``inner``, the data key as the key service wrapped it, under the key of ``epoch``."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(epoch_key).encrypt(nonce, inner, _place(user_id, purpose, epoch))


def unwrap(epoch_key: bytes, *, user_id: UUID, purpose: Purpose, epoch: int, wrapped: bytes) -> bytes:
    """What was wrapped for this person, purpose and epoch.

    Raises:
        CannotUnwrap: it was not, or not with this key, or was changed since.
    """
    try:
        return AESGCM(epoch_key).decrypt(
            wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _place(user_id, purpose, epoch)
        )
    except (InvalidTag, ValueError):  # too short for a nonce and a tag
        raise CannotUnwrap("the wrapped key is not of this person, purpose and epoch key") from None


def _place(user_id: UUID, purpose: Purpose, epoch: int) -> bytes:
    """``joined`` of all parts; a roll needs that of two million keys."""
    return _BEGIN + user_id.bytes + _end(purpose, epoch)


@cache
def _end(purpose: Purpose, epoch: int) -> bytes:
    return joined(purpose, str(epoch))
