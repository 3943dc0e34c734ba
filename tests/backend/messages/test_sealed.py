"""Messages that somebody changed in the database, and people whose key cannot be had: nothing wrong is ever shown."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually

ALICES, MALLORYS = "My salary is four thousand", "Tell me what she earns"
CHANGES = {
    "anothers-cell": "UPDATE messages SET content = other.content FROM messages other "
    "WHERE messages.message_id = :'said' AND other.message_id = :'his'",
    "own-other-cell": "UPDATE messages SET content = other.content FROM messages other "
    "WHERE messages.message_id = :'said' AND other.message_id = :'reply'",
    "flipped-bit": "UPDATE messages SET content = set_byte(content, 20, get_byte(content, 20) # 1) "
    "WHERE message_id = :'said'",
    "cut-off": "UPDATE messages SET content = substr(content, 1, 20) WHERE message_id = :'said'",
    # Mallory takes Alice's conversation over, to read it as his own.
    "other-owner": "BEGIN; SET LOCAL session_replication_role = replica;"
    "UPDATE messages SET user_id = :'mallory' WHERE conversation_id = :'hers';"
    "UPDATE conversations SET user_id = :'mallory' WHERE conversation_id = :'hers'; COMMIT",
}


def _events(backend: Backend) -> list[dict[str, Any]]:
    """What the log says of messages that could not be opened."""
    lines = (json.loads(line) for line in backend.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == "message.cannot_be_opened"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_in_the_database_is_not_shown(
    alice: Person, mallory: Person, ai_core: AiCoreStandIn, backend: Backend, change: str
) -> None:
    hers, his = alice.converse(), mallory.converse()
    said, reply = (alice.say(hers, ALICES).json()[name] for name in ("user_message_id", "message_id"))
    other = mallory.say(his, MALLORYS).json()["user_message_id"]
    waiting = "SELECT count(*) FROM outbox WHERE conversation_id IN (:'hers', :'his')"
    eventually(lambda: backend.sql(waiting, hers=hers, his=his) == "0")  # who hands over would stumble on it, too
    known = len(_events(backend))
    mallory_id = ai_core.questions[-1]["user_id"]
    backend.sql(change, hers=hers, said=said, reply=reply, his=other, mallory=mallory_id)
    shown = [(person, person.call("GET", f"/conversations/{it}")) for person in (alice, mallory) for it in (hers, his)]
    for person, answer in shown:
        assert answer.status_code in {200, 404, 500}
        assert (MALLORYS if person is alice else ALICES) not in answer.text
    assert [answer.status_code for _, answer in shown].count(500) == 1
    (event,) = _events(backend)[known:]
    assert event["message_id"] in {said, reply}
    assert not event.keys() - {"time", "level", "event", "user_id", "message_id", "request_id"}


def test_a_plain_message_cannot_be_put_into_anybodys_mouth(alice: Person, backend: Backend) -> None:
    conversation = alice.converse()
    said = alice.say(conversation, "hello").json()["user_message_id"]
    # Whoever may change the tables could do away with the constraint; a process that runs still knows of it.
    backend.sql("ALTER TABLE messages DROP CONSTRAINT messages_sealed_check")
    try:
        backend.sql("UPDATE messages SET content = '\\x00' || 'I resign'::bytea WHERE message_id = :'it'", it=said)
        answer = alice.call("GET", f"/conversations/{conversation}")
        assert_problem(answer, 500)
        assert "resign" not in answer.text
    finally:
        backend.sql("DELETE FROM messages WHERE get_byte(content, 0) = 0")
        backend.sql("ALTER TABLE messages ADD CONSTRAINT messages_sealed_check CHECK (get_byte(content, 0) = 1)")


@pytest.fixture
def keyless(own_backend: Backend, carol: Person) -> tuple[str, Callable[[], object]]:
    """A conversation of Carol's, and what brings the key file back: the process has started without it."""
    conversation = carol.converse()
    carol.say(conversation, "hello")
    own_backend.stop()
    hidden = own_backend.key_file.rename(own_backend.key_file.with_suffix(".hidden"))
    own_backend.start()
    return conversation, lambda: (hidden.rename(own_backend.key_file), None)[1]


def test_without_the_key_service_nothing_is_read_or_kept_and_then_all_is_well(
    keyless: tuple[str, Callable[[], object]], carol: Person, own_backend: Backend
) -> None:
    conversation, bring_back = keyless
    stranger = {"email": "somebody.new@example.com", "password": carol.password}
    asked = [
        carol.call("GET", f"/conversations/{conversation}"),
        carol.say(conversation, "are you there?"),
        carol.say(conversation, "are you there?", Idempotency_Key="a key"),
        carol.call("GET", "/users/me/export"),
        carol.call("POST", "/auth/register", json=stranger),
        carol.sign_in(),
    ]
    for answer in asked:
        assert_problem(answer, 503)
        assert answer.headers["Retry-After"] == "5"
    assert carol.call("GET", "/conversations").status_code == 200  # nothing of it is sealed
    assert own_backend.sql("SELECT count(*) FROM messages") == "2"
    assert own_backend.sql("SELECT count(*) FROM users") == "1"
    bring_back()
    assert [message["content"] for message in carol.history(conversation)] == ["hello", "Tell me more."]
    assert carol.say(conversation, "are you there?", Idempotency_Key="a key").status_code == 200
    assert carol.call("POST", "/auth/register", json=stranger).status_code == 201


def test_everything_is_there_after_a_restart(own_backend: Backend, carol: Person) -> None:
    conversation = carol.converse()
    carol.say(conversation, "hello")
    before = carol.history(conversation)
    own_backend.stop()
    own_backend.start()
    assert carol.history(conversation) == before
    carol.sign_in()
    assert carol.call("GET", "/users/me/export").json()["conversations"][0]["messages"] == before


def test_the_ai_core_gets_one_key_a_person_and_it_is_wrapped(
    alice: Person, mallory: Person, ai_core: AiCoreStandIn
) -> None:
    seen: list[set[bytes]] = []
    for person in (alice, mallory):
        person.say(person.converse(), "hello")
        seen.append(ai_core.memory(ai_core.questions[-1]["user_id"]).keys)
        person.call("GET", "/users/me/export")
    assert [len(keys) for keys in seen] == [1, 1]
    assert seen[0] != seen[1]
    assert all(len(key) > 32 for keys in seen for key in keys)
