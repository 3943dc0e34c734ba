"""How a message's words are stored."""

from uuid import UUID, uuid4

import pytest
from backend.messages.words import Words
from chassis.sealing.cells import CannotOpen, PersonKey

from tests.benchmarks.sealing import milliseconds_a_message

MOST_MILLISECONDS = 1
PERSON, MESSAGE = UUID(int=1), UUID(int=2)


def _words(*, plain_too: bool) -> Words:
    return Words(PERSON, PersonKey(PERSON, bytes(range(32))), plain_too=plain_too)


@pytest.mark.parametrize("plain_too", [True, False])
@pytest.mark.parametrize("content", ["", "plain", "größer \N{GRINNING FACE}", "\x00"])
def test_what_was_sealed_is_opened(content: str, plain_too: bool) -> None:
    words = _words(plain_too=plain_too)
    stored = words.seal(MESSAGE, content)
    assert stored[0] == 1
    assert words.open(MESSAGE, stored) == content
    with pytest.raises(CannotOpen):
        words.open(uuid4(), stored)


@pytest.mark.parametrize("plain_too", [True, False])
@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x01not sealed by anybody here", b"\x02a later kind", b"no kind"])
def test_what_cannot_be_read_is_not_guessed(stored: bytes, plain_too: bool) -> None:
    with pytest.raises(CannotOpen):
        _words(plain_too=plain_too).open(MESSAGE, stored)


def test_plain_words_are_read_only_while_the_database_admits_them() -> None:
    assert _words(plain_too=True).open(MESSAGE, b"\x00hello") == "hello"
    with pytest.raises(CannotOpen):
        _words(plain_too=False).open(MESSAGE, b"\x00hello")


def test_sealing_costs_a_message_next_to_nothing() -> None:
    # The best of some: a processor that is shared with others is slower now and then.
    assert min(milliseconds_a_message() for _ in range(3)) <= MOST_MILLISECONDS
