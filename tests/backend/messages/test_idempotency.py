"""Retries with an ``Idempotency-Key``."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend
from tests.support.person import API, Person, assert_problem
from tests.support.waiting import eventually


def _stream(alice: Person, conversation: str, content: str, key: str) -> str:
    headers = {
        "Authorization": f"Bearer {alice.tokens['access_token']}",
        "Accept": "text/event-stream",
        "Idempotency-Key": key,
    }
    path = f"{API}/conversations/{conversation}/messages"
    return alice.http.post(path, json={"content": content}, headers=headers).text


def test_the_same_request_has_the_same_answer(alice: Person, ai_core: AiCoreStandIn) -> None:
    conversation, key = alice.converse(), str(uuid4())
    first = alice.say(conversation, "once", Idempotency_Key=key)
    ai_core.script = Script(pieces=("Something else.",))
    again = alice.say(conversation, "once", Idempotency_Key=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(ai_core.questions) == 1
    assert len(alice.history(conversation)) == 2


def test_a_streamed_retry_streams_the_stored_answer(alice: Person, ai_core: AiCoreStandIn) -> None:
    conversation, key = alice.converse(), str(uuid4())
    first = alice.say(conversation, "once", Idempotency_Key=key).json()
    again = _stream(alice, conversation, "once", key)
    assert again.count("data:") == 2
    assert f'"message_id":"{first["message_id"]}"' in again
    assert len(ai_core.questions) == 1


def test_an_interrupted_answer_is_the_answer(alice: Person, ai_core: AiCoreStandIn) -> None:
    ai_core.script = Script(pieces=("Half",), end="break")
    conversation, key = alice.converse(), str(uuid4())
    first = alice.say(conversation, "once", Idempotency_Key=key)
    again = alice.say(conversation, "once", Idempotency_Key=key)
    assert first.json() == again.json()
    assert again.json()["status"] == "interrupted"
    assert '"type":"error"' in _stream(alice, conversation, "once", key)


@pytest.mark.parametrize("other", ["content", "conversation"])
def test_a_key_is_good_for_one_message(alice: Person, other: str) -> None:
    conversation, key = alice.converse(), str(uuid4())
    alice.say(conversation, "once", Idempotency_Key=key)
    where = alice.converse() if other == "conversation" else conversation
    answer = alice.say(where, "once" if other == "conversation" else "twice", Idempotency_Key=key)
    assert assert_problem(answer, 422)["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_key_belongs_to_one_person(alice: Person, mallory: Person) -> None:
    key = str(uuid4())
    hers = alice.say(alice.converse(), "once", Idempotency_Key=key)
    his = mallory.say(mallory.converse(), "once", Idempotency_Key=key)
    assert (hers.status_code, his.status_code) == (200, 200)
    assert hers.json()["message_id"] != his.json()["message_id"]


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there", "é"], ids=["empty", "long", "tab", "latin"])
def test_a_key_is_1_to_255_printable_characters(alice: Person, key: str) -> None:
    conversation = alice.converse()
    headers = {"Authorization": f"Bearer {alice.tokens['access_token']}", "Idempotency-Key": key.encode("latin-1")}
    answer = alice.http.post(
        f"{API}/conversations/{conversation}/messages",
        json={"content": "once"},
        headers=headers,  # pyright: ignore[reportArgumentType] - bytes are taken, and the stubs do not know
    )
    assert_problem(answer, 422)
    assert alice.say(conversation, "once", Idempotency_Key="a" * 255).status_code == 200


def test_a_key_in_flight_answers_409(alice: Person, ai_core: AiCoreStandIn) -> None:
    hold = threading.Event()
    ai_core.script = Script(hold=hold)
    conversation, key = alice.converse(), str(uuid4())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(alice.say, conversation, "once", Idempotency_Key=key)
        eventually(lambda: ai_core.questions)
        answer = alice.say(conversation, "once", Idempotency_Key=key)
        assert_problem(answer, 409)
        assert int(answer.headers["retry-after"]) > 0
        hold.set()
        assert first.result().status_code == 200
    assert len(alice.history(conversation)) == 2


def test_after_a_503_the_same_key_asks_again_at_once(alice: Person, ai_core: AiCoreStandIn) -> None:
    conversation, key = alice.converse(), str(uuid4())
    ai_core.script = Script(status=503)
    for _ in range(2):
        assert_problem(alice.say(conversation, "once", Idempotency_Key=key), 503)
    alice.say(conversation, "something in between")
    ai_core.script = Script()
    reply = alice.say(conversation, "once", Idempotency_Key=key)
    assert reply.status_code == 200
    history = alice.history(conversation)
    assert [m["content"] for m in history] == ["once", "something in between", "Tell me more."]
    assert reply.json()["user_message_id"] == history[0]["message_id"]
    # What was said after the message is no history of it.
    assert ai_core.questions[-1]["history"] == []


def test_the_same_request_many_times_at_once_is_one_message(alice: Person, ai_core: AiCoreStandIn) -> None:
    conversation, key = alice.converse(), str(uuid4())
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(alice.say, conversation, "once", Idempotency_Key=key) for _ in range(6)]
    answers = [future.result() for future in asked]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["message_id"] for answer in answers if answer.status_code == 200}) == 1
    assert len(alice.history(conversation)) == 2
    assert len(ai_core.questions) == 1


def test_a_key_is_forgotten_after_a_day(alice: Person, backend: Backend) -> None:
    conversation, key = alice.converse(), str(uuid4())
    first = alice.say(conversation, "once", Idempotency_Key=key)
    old = "UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE key = :'key'"
    backend.sql(old, key=key)
    second = alice.say(conversation, "quite another", Idempotency_Key=key)
    assert second.status_code == 200
    assert first.json()["message_id"] != second.json()["message_id"]
