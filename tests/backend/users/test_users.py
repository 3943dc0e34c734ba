"""Export and erasure."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually

OF_ONE_PERSON = {
    "user_keys": "SELECT count(*) FROM user_keys WHERE user_id = :'it'",
    "users": "SELECT count(*) FROM users WHERE user_id = :'it'",
    "sign_ins": "SELECT count(*) FROM sign_ins WHERE user_id = :'it'",
    "sign_in_failures": "SELECT count(*) FROM sign_in_failures WHERE account = sha256(:'email')",
    "person_usage": "SELECT count(*) FROM person_usage WHERE user_id = :'it'",
    "conversations": "SELECT count(*) FROM conversations WHERE user_id = :'it'",
    "messages": "SELECT count(*) FROM messages WHERE user_id = :'it'",
    "idempotency_keys": "SELECT count(*) FROM idempotency_keys WHERE user_id = :'it'",
    "outbox": "SELECT count(*) FROM outbox WHERE user_id = :'it'",
}


def test_an_export_has_all_conversations_messages_and_memories(alice: Person, ai_core: AiCoreStandIn) -> None:
    first, empty, last = (alice.converse() for _ in range(3))
    for number in range(60):  # more messages than a page has
        alice.say(first, f"message {number}")
    alice.say(last, "goodbye")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: len(ai_core.memory(user_id).messages) == 122)
    exported = alice.call("GET", "/users/me/export").json()
    assert exported.keys() == {"account", "memories", "conversations"}
    assert exported["account"].keys() == {"user_id", "email", "created_at"}
    assert exported["account"]["email"] == alice.email
    assert len(exported["memories"]) == 122
    by_id = {conversation["conversation_id"]: conversation["messages"] for conversation in exported["conversations"]}
    assert [m["content"] for m in by_id[first] if m["sender"] == "user"] == [f"message {n}" for n in range(60)]
    assert [m["sender"] for m in by_id[first]] == ["user", "ai"] * 60
    assert by_id[empty] == []
    assert by_id[last] == alice.history(last)


def test_an_export_of_nothing_is_whole(alice: Person) -> None:
    exported = alice.call("GET", "/users/me/export")
    assert exported.headers["content-type"] == "application/json"
    assert exported.headers["content-disposition"] == 'attachment; filename="sanctum-export.json"'
    assert (exported.json()["memories"], exported.json()["conversations"]) == ([], [])


def test_a_second_export_at_the_same_time_is_refused_until_the_first_has_ended(
    alice: Person, mallory: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    user_id = backend.sql("SELECT user_id FROM users WHERE email = :'email'", email=alice.email)
    ai_core.memory(user_id).hold = (hold := threading.Event())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(alice.call, "GET", "/users/me/export")
        eventually(lambda: ai_core.memory(user_id).reads)
        assert_problem(alice.call("GET", "/users/me/export"), 429)  # says when to ask again
        assert mallory.call("GET", "/users/me/export").status_code == 200
        assert not first.done()
        hold.set()
        assert first.result().status_code == 200
    assert alice.call("GET", "/users/me/export").status_code == 200


def test_without_the_memory_there_is_no_export(alice: Person, ai_core: AiCoreStandIn) -> None:
    ai_core.memory_away = True
    assert_problem(alice.call("GET", "/users/me/export"), 503)


def test_nothing_of_an_erased_person_stays(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    alice.say(alice.converse(), "a secret", Idempotency_Key="a key")
    alice.sign_in("wrong password")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: ai_core.memory(user_id).messages)
    tables = backend.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").split()
    of_nobody = {"refresh_tokens", "address_usage", "alembic_version", "key_epochs", "erasures"}
    assert set(tables) == {*OF_ONE_PERSON, *of_nobody}

    def rows() -> list[str]:
        return [backend.sql(count, it=user_id, email=alice.email) for count in OF_ONE_PERSON.values()]

    assert "0" not in rows()[:-1]
    assert alice.call("DELETE", "/users/me").status_code == 202
    assert set(rows()) == {"0"}
    sign_in_id = str(UUID(hex=alice.tokens["refresh_token"].partition(".")[0]))
    assert backend.sql("SELECT count(*) FROM refresh_tokens WHERE sign_in_id = :'it'", it=sign_in_id) == "0"
    assert ai_core.memory(user_id).forgotten


def test_an_erasure_counts_also_while_the_memory_is_away(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    alice.say(alice.converse(), "a secret")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: ai_core.memory(user_id).messages)
    ai_core.memory_away = True
    assert alice.call("DELETE", "/users/me").status_code == 202
    assert_problem(alice.call("GET", "/conversations"), 401)
    # What is left to do names nothing but the id.
    left = "SELECT conversation_id, reply_message_id FROM outbox WHERE user_id = :'it'"
    assert backend.sql(left, it=user_id) == "|"
    ai_core.memory_away = False
    eventually(lambda: ai_core.memory(user_id).forgotten)


def test_a_reply_to_somebody_erased_meanwhile_is_dropped(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    ai_core.script = Script(hold=(hold := threading.Event()))
    conversation = alice.converse()
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(alice.say, conversation, "hello", Idempotency_Key="a key")
        user_id = eventually(lambda: ai_core.questions)[-1]["user_id"]
        assert alice.call("DELETE", "/users/me").status_code == 202
        hold.set()
        assert_problem(reply.result(), 404)
    assert backend.sql("SELECT count(*) FROM messages WHERE user_id = :'it'", it=user_id) == "0"
    assert not ai_core.memory(user_id).messages
