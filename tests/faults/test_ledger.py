"""The ledger finds what is planted; else its silence about the faults would prove nothing."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.faults import unkept
from tests.faults.house import House
from tests.faults.ledger import Entry, Ledger, Stored, Told, discrepancies
from tests.faults.load import send
from tests.support.person import Person
from tests.support.waiting import eventually

NOBODY: Any = None
"""Whom entries that are compared with made-up contents belong to."""


@pytest.fixture
def kept(house: House, people: list[Person]) -> Iterator[Ledger]:
    """A ledger of two messages, one of them streamed, that were answered, stored and remembered."""
    ledger, conversation = Ledger(), people[0].converse()
    for stream in (False, True):
        send(ledger.add(Entry(people[0], conversation, f"tell me of {uuid4().hex}")), stream=stream)
    assert ledger.counts() == {Told.ANSWERED: 2}
    assert not unkept(ledger, house)
    yield ledger
    people[0].call("DELETE", f"/conversations/{conversation}")


def _this(ledger: Ledger) -> str:
    return f"conversation_id = '{ledger.entries[0].conversation}'"


def test_a_message_that_was_answered_and_is_gone_is_found(kept: Ledger, house: House) -> None:
    house.sql(f"DELETE FROM messages WHERE {_this(kept)} AND position = (SELECT min(position) FROM messages "  # noqa: S608
              f"WHERE {_this(kept)})")  # fmt: skip
    assert f"{kept.entries[0].words}: answered and lost" in unkept(kept, house, 0)


def test_a_reply_that_is_gone_is_found(kept: Ledger, house: House) -> None:
    house.sql(f"DELETE FROM messages WHERE {_this(kept)} AND sender = 'ai'")  # noqa: S608
    assert len([one for one in unkept(kept, house, 0) if "stored []" in one]) == 2


def test_a_message_that_is_stored_twice_is_found(kept: Ledger, house: House) -> None:
    for entry in kept.entries:  # as a client would that was told nothing
        assert entry.person.say(entry.conversation, entry.words).status_code == 200
    eventually(lambda: house.sql("SELECT count(*) FROM outbox") == "0")
    found = unkept(kept, house, 0)
    assert found == [f"{entry.words}: stored 2 times, with 2 replies" for entry in kept.entries]


def test_a_broken_outbox_is_found(kept: Ledger, house: House) -> None:
    house.sql("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
              "CREATE TRIGGER broken BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION nothing()")  # fmt: skip
    try:
        first = kept.entries[0]
        lost = kept.add(Entry(first.person, first.conversation, f"tell me of {uuid4().hex}"))
        send(lost, stream=False)
    finally:
        house.sql("DROP FUNCTION nothing CASCADE")
    assert lost.reply
    assert unkept(kept, house, 3) == [f"{words}: remembered 0 times" for words in (lost.words, lost.reply["content"])]


def _turn() -> tuple[Entry, Stored]:
    """A message that was answered, and what is then stored."""
    said = {"message_id": "1", "sender": "user", "content": "words"}
    reply = {"message_id": "2", "sender": "ai", "content": "reply", "user_message_id": "1"}
    memories = [{"message_id": message["message_id"], "content": message["content"]} for message in (said, reply)]
    entry = Entry(NOBODY, "conversation", "words", told=[(Told.ANSWERED, 0)], reply=reply)
    return entry, Stored([said, reply], memories, Counter("12"), 0)


def test_a_turn_that_is_kept_is_no_discrepancy() -> None:
    entry, stored = _turn()
    assert discrepancies([entry], stored) == []


def test_a_passage_that_is_remembered_twice_is_found() -> None:
    entry, stored = _turn()
    stored.memories.append(stored.memories[0])
    assert discrepancies([entry], stored) == ["words: remembered 2 times"]


def test_what_is_remembered_without_a_turn_is_found() -> None:
    entry, stored = _turn()
    stored.memories.append({"message_id": "3", "content": "words"})
    assert discrepancies([entry], stored) == ["3: remembered without a turn"]


def test_a_message_that_was_refused_and_is_stored_is_found() -> None:
    entry, stored = _turn()
    entry.told, entry.reply = [(Told.REFUSED, 0)], None
    assert discrepancies([entry], stored) == ["words: refused and yet stored"]


def test_what_nobody_sent_is_found() -> None:
    _, stored = _turn()
    assert discrepancies([], stored) == ["words: stored and never sent"]


def test_a_row_that_the_api_does_not_show_is_found() -> None:
    entry, stored = _turn()
    stored.rows["3"] = 1
    assert discrepancies([entry], stored) == ["3: shown 0 times, stored 1"]


def test_what_no_client_may_be_told_is_found() -> None:
    entry, stored = _turn()
    entry.wrong = "500"
    assert discrepancies([entry], stored) == ["words: told 500"]
