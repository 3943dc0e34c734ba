"""A cell opens with its person's key in its own place, and in no other way."""

import os
from uuid import UUID

import pytest
from chassis.sealing.cells import CannotOpen, Field, PersonKey, joined
from hypothesis import given, settings
from hypothesis import strategies as st

ALICE, MALLORY, ROW = UUID(int=1), UUID(int=2), UUID(int=3)
FIELD = Field("messages", "content")
KEY = bytes(range(32))
WORDS = "words of Alice 👋🏽".encode()


@settings(deadline=None, max_examples=50, derandomize=True)
@given(plain=st.binary(max_size=5000))
def test_what_was_sealed_opens_as_it_was(plain: bytes) -> None:
    cell = PersonKey(ALICE, KEY).seal(FIELD, ROW, plain)
    assert len(cell) == len(plain) + 29
    assert PersonKey(ALICE, KEY).open(FIELD, ROW, cell) == plain


def test_the_same_words_look_different_each_time() -> None:
    key = PersonKey(ALICE, KEY)
    cells = {key.seal(FIELD, ROW, WORDS) for _ in range(100)}
    assert len(cells) == 100
    assert not any(WORDS in cell for cell in cells)


@pytest.mark.parametrize(
    ("key", "field", "row"),
    [
        pytest.param(PersonKey(ALICE, KEY), FIELD, UUID(int=4), id="another row"),
        pytest.param(PersonKey(ALICE, KEY), Field("messages", "other"), ROW, id="another column"),
        pytest.param(PersonKey(ALICE, KEY), Field("memories", "content"), ROW, id="another table"),
        pytest.param(PersonKey(MALLORY, KEY), FIELD, ROW, id="another person with the same key"),
        pytest.param(PersonKey(ALICE, os.urandom(32)), FIELD, ROW, id="another key"),
    ],
)
def test_a_cell_that_was_moved_does_not_open(key: PersonKey, field: Field, row: UUID) -> None:
    cell = PersonKey(ALICE, KEY).seal(FIELD, ROW, WORDS)
    with pytest.raises(CannotOpen):
        key.open(field, row, cell)


def test_a_cell_with_any_bit_flipped_does_not_open() -> None:
    key = PersonKey(ALICE, KEY)
    cell = key.seal(FIELD, ROW, WORDS)
    for bit in range(len(cell) * 8):
        changed = bytearray(cell)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            key.open(FIELD, ROW, bytes(changed))


@pytest.mark.parametrize("length", range(29))
def test_a_cell_that_was_cut_short_does_not_open(length: int) -> None:
    key = PersonKey(ALICE, KEY)
    with pytest.raises(CannotOpen):
        key.open(FIELD, ROW, key.seal(FIELD, ROW, WORDS)[:length])


def test_an_error_shows_nothing_of_what_is_kept() -> None:
    key = PersonKey(ALICE, KEY)
    cell = key.seal(FIELD, ROW, WORDS)
    with pytest.raises(CannotOpen) as caught:
        PersonKey(MALLORY, KEY).open(FIELD, ROW, cell)
    assert caught.value.__cause__ is None
    assert cell.hex() not in repr(caught.value)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(first=st.lists(st.binary(max_size=6), max_size=4), second=st.lists(st.binary(max_size=6), max_size=4))
def test_two_lists_of_parts_are_never_written_alike(first: list[bytes], second: list[bytes]) -> None:
    assert (joined(*first) == joined(*second)) == (first == second)


def test_a_subkey_is_neither_the_data_key_nor_another_subkey() -> None:
    key = PersonKey(ALICE, KEY)
    assert len({KEY, key.subkey("messages"), key.subkey("credentials")}) == 3


def test_a_data_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        PersonKey(ALICE, KEY[:16])
