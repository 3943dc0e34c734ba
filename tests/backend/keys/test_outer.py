"""The outer wrap opens with its epoch's key, for its person and purpose, or not at all."""

import os
from uuid import UUID

import pytest
from backend.keys.outer import unwrap, wrap
from chassis.sealing.cells import FORMAT, joined
from chassis.sealing.key_service import CannotUnwrap
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALICE, MALLORY = UUID(int=1), UUID(int=2)
KEY, OTHER_KEY = os.urandom(32), os.urandom(32)
INNER = os.urandom(184)


def wrapped() -> bytes:
    return wrap(KEY, user_id=ALICE, purpose="messages", epoch=3, inner=INNER)


def test_what_was_wrapped_unwraps_and_shows_nothing() -> None:
    assert unwrap(KEY, user_id=ALICE, purpose="messages", epoch=3, wrapped=wrapped()) == INNER
    assert INNER not in wrapped()
    assert len({wrapped() for _ in range(20)}) == 20


def test_another_person_purpose_epoch_or_key_unwraps_nothing() -> None:
    with pytest.raises(CannotUnwrap):
        unwrap(KEY, user_id=MALLORY, purpose="messages", epoch=3, wrapped=wrapped())
    with pytest.raises(CannotUnwrap):
        unwrap(KEY, user_id=ALICE, purpose="memories", epoch=3, wrapped=wrapped())
    with pytest.raises(CannotUnwrap):
        unwrap(KEY, user_id=ALICE, purpose="messages", epoch=4, wrapped=wrapped())
    with pytest.raises(CannotUnwrap):
        unwrap(OTHER_KEY, user_id=ALICE, purpose="messages", epoch=3, wrapped=wrapped())


@pytest.mark.parametrize("at", [0, 11, 12, 100, -1])
def test_a_changed_byte_unwraps_nothing(at: int) -> None:
    changed = bytearray(wrapped())
    changed[at] ^= 1
    with pytest.raises(CannotUnwrap):
        unwrap(KEY, user_id=ALICE, purpose="messages", epoch=3, wrapped=bytes(changed))


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_what_is_too_short_unwraps_nothing(length: int) -> None:
    with pytest.raises(CannotUnwrap):
        unwrap(KEY, user_id=ALICE, purpose="messages", epoch=3, wrapped=wrapped()[:length])


def test_the_place_is_each_part_after_its_length() -> None:
    place = joined(FORMAT, "outer", ALICE.bytes, "memories", "12")
    made = bytes(12) + AESGCM(KEY).encrypt(bytes(12), INNER, place)
    assert unwrap(KEY, user_id=ALICE, purpose="memories", epoch=12, wrapped=made) == INNER
