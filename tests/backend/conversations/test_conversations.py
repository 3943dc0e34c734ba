"""Conversations and their lists, over HTTP."""

from uuid import uuid4

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually


def test_conversations_are_listed_newest_first_and_new_ones_do_not_shift_the_pages(alice: Person) -> None:
    begun = [alice.converse() for _ in range(5)]
    first = alice.call("GET", "/conversations", params={"limit": 3}).json()
    alice.converse()
    second = alice.call("GET", "/conversations", params={"limit": 3, "cursor": first["next"]}).json()
    listed = [item["conversation_id"] for item in first["items"] + second["items"]]
    assert listed == begun[::-1]
    assert second["next"] is None


def test_a_page_that_ends_with_the_list_has_no_next(alice: Person) -> None:
    alice.converse()
    page = alice.call("GET", "/conversations", params={"limit": 1}).json()
    assert page["next"] is None
    assert page["items"][0].keys() == {"conversation_id", "persona", "created_at"}


@pytest.mark.parametrize("cursor", ["", "nonsense", "é", "A" * 32, "f" + "_" * 31, "A" * 101])
def test_a_made_up_cursor_is_refused(alice: Person, cursor: str) -> None:
    conversation = alice.converse()
    for path in ("/conversations", f"/conversations/{conversation}"):
        answer = alice.call("GET", path, params={"cursor": cursor})
        if cursor == "A" * 32 and path == "/conversations":
            continue  # the beginning of 1970: the end of the list
        assert assert_problem(answer, 422)["errors"][0]["pointer"] == "/query/cursor"


def test_a_cursor_of_one_conversation_is_none_of_another(alice: Person, ai_core: AiCoreStandIn) -> None:
    first, second = alice.converse(), alice.converse()
    for conversation in (first, second):
        alice.say(conversation, "hello")
    cursor = alice.call("GET", f"/conversations/{first}", params={"limit": 1}).json()["next"]
    assert_problem(alice.call("GET", f"/conversations/{second}", params={"cursor": cursor}), 422)
    assert ai_core.questions


def test_anothers_conversation_cannot_be_told_from_none(alice: Person, mallory: Person) -> None:
    hers, nobodys = alice.converse(), str(uuid4())
    alice.say(hers, "a secret")
    answers: list[dict[str, object]] = []
    for conversation in (hers, nobodys):
        for method, path in (
            ("GET", f"/conversations/{conversation}"),
            ("DELETE", f"/conversations/{conversation}"),
            ("POST", f"/conversations/{conversation}/messages"),
        ):
            body = {"json": {"content": "let me in"}} if method == "POST" else {}
            document = assert_problem(mallory.call(method, path, **body), 404)
            answers.append({k: v for k, v in document.items() if k not in ("request_id", "instance")})
    assert answers[:3] == answers[3:]
    assert len(alice.history(hers)) == 2


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_id_that_is_none_is_malformed(alice: Person, method: str) -> None:
    document = assert_problem(alice.call(method, "/conversations/not-an-id"), 422)
    assert document["errors"][0]["pointer"] == "/path/conversation_id"


def test_what_a_deleted_conversation_said_is_forgotten(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    kept, deleted = alice.converse(), alice.converse()
    for conversation in (kept, deleted):
        alice.say(conversation, "remember me")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: len(ai_core.memory(user_id).messages) == 4)
    assert alice.call("DELETE", f"/conversations/{deleted}").status_code == 204
    assert {m["conversation_id"] for m in ai_core.memory(user_id).messages.values()} == {kept}
    assert_problem(alice.call("DELETE", f"/conversations/{deleted}"), 404)
    assert backend.sql("SELECT count(*) FROM messages WHERE conversation_id = :'it'", it=deleted) == "0"


def test_a_conversation_is_deleted_also_while_the_memory_is_away(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    conversation = alice.converse()
    alice.say(conversation, "remember me")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: ai_core.memory(user_id).messages)
    ai_core.memory_away = True
    assert alice.call("DELETE", f"/conversations/{conversation}").status_code == 204
    assert_problem(alice.call("GET", f"/conversations/{conversation}"), 404)
    assert ai_core.memory(user_id).messages
    ai_core.memory_away = False
    eventually(lambda: not ai_core.memory(user_id).messages)
    eventually(lambda: backend.sql("SELECT count(*) FROM outbox WHERE user_id = :'it'", it=user_id) == "0")


def test_a_conversation_cannot_be_begun_by_somebody_erased(alice: Person) -> None:
    assert alice.call("DELETE", "/users/me").status_code == 202
    assert_problem(alice.call("POST", "/conversations", json={"persona": "Gem"}), 401)
