"""A person sees what is remembered of them, and takes one thing of it away."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, Memory
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually


def memory_of(person: Person, ai_core: AiCoreStandIn, *words: str) -> Memory:
    """What the memory holds of somebody who has said ``words``, and had a reply to each."""
    conversation = person.converse()
    for said in words:
        assert person.say(conversation, said).status_code == 200
    memory = ai_core.memory(ai_core.questions[-1]["user_id"])
    eventually(lambda: len(memory.messages) == 2 * len(words))
    return memory


def listed(person: Person, limit: int = 100) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = person.call("GET", "/users/me/memories", params=parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if (cursor := page["next"]) is None:
            return items


def forget(person: Person, memory: object) -> httpx.Response:
    return person.call("DELETE", f"/users/me/memories/{memory}")


def test_a_person_sees_all_that_is_remembered_of_them(alice: Person, mallory: Person, ai_core: AiCoreStandIn) -> None:
    memory_of(mallory, ai_core, "something else")
    memory = memory_of(alice, ai_core, "I have a dog.", "It barks.")
    seen = listed(alice)
    assert {item["content"] for item in seen} == {message["content"] for message in memory.messages.values()}
    members = {"memory_id", "conversation_id", "message_id", "sender", "content", "created_at"}
    assert all(item.keys() == members for item in seen)
    assert seen == alice.call("GET", "/users/me/export").json()["memories"]


def test_pages_of_any_size_hold_everything_once(alice: Person, ai_core: AiCoreStandIn) -> None:
    memory_of(alice, ai_core, *(f"my wish number {n}" for n in range(12)))
    whole = listed(alice)
    assert len(whole) == 24
    for limit in (1, 5, 24):
        assert listed(alice, limit) == whole


@pytest.mark.parametrize("cursor", ["x", "é", " ", "%"])
def test_a_cursor_that_no_page_has_given_is_a_422(alice: Person, cursor: str) -> None:
    problem = assert_problem(alice.call("GET", "/users/me/memories", params={"cursor": cursor}), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/query/cursor"]


def test_what_was_taken_away_is_gone_for_good_and_the_rest_stays(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    memory = memory_of(alice, ai_core, "I have a dog.")
    (said,) = (item for item in listed(alice) if item["sender"] == "user")
    assert forget(alice, said["memory_id"]).status_code == 204
    assert [item["sender"] for item in listed(alice)] == ["ai"]
    assert_problem(forget(alice, said["memory_id"]), 404)
    # The turn is handed over once more, as after a crash between handing it over and noting that.
    puts, (reply,) = ai_core.puts, memory.messages
    again = (
        "INSERT INTO outbox (user_id, conversation_id, reply_message_id) SELECT user_id, conversation_id, message_id"
    )
    backend.sql(f"{again} FROM messages WHERE message_id = :'it'", it=reply)
    eventually(lambda: ai_core.puts > puts)
    assert [item["sender"] for item in listed(alice)] == ["ai"]
    assert alice.history(said["conversation_id"])[0]["content"] == "I have a dog."


def test_anothers_memory_answers_just_as_one_that_is_not(
    alice: Person, mallory: Person, ai_core: AiCoreStandIn
) -> None:
    memory = memory_of(alice, ai_core, "a secret")
    for identifier in memory.messages:
        theirs, unknown = (assert_problem(forget(mallory, one), 404) for one in (identifier, uuid4()))
        differing = {"request_id", "instance"}
        assert {k: v for k, v in theirs.items() if k not in differing} == {
            k: v for k, v in unknown.items() if k not in differing
        }
    assert len(memory.messages) == 2
    assert listed(mallory) == []


def test_what_is_no_id_is_a_422(alice: Person) -> None:
    for one in ("it", "*", "_all", "%2a", "7"):
        assert_problem(forget(alice, one), 422)


def test_without_the_memory_both_are_a_503_that_says_when_to_ask_again(alice: Person, ai_core: AiCoreStandIn) -> None:
    ai_core.memory_away = True
    assert_problem(alice.call("GET", "/users/me/memories"), 503)
    assert_problem(forget(alice, uuid4()), 503)


def test_what_the_ai_core_refuses_for_another_reason_is_not_the_callers_fault(
    alice: Person, ai_core: AiCoreStandIn
) -> None:
    ai_core.memory_refuses = "/header/Memory-Key"
    assert_problem(alice.call("GET", "/users/me/memories", params={"cursor": "1"}), 503)
