"""Every row of the API's contract, seen from outside."""

import itertools
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.support.person import API, PASSWORD, Person, assert_problem
from tests.support.waiting import eventually


def test_health_and_the_openapi_document_are_served_at_the_root(anonymous: Person) -> None:
    assert anonymous.http.get("/healthz").status_code == 200
    assert anonymous.http.get("/readyz").status_code == 200
    paths = anonymous.http.get("/openapi.json").json()["paths"]
    assert {
        f"{API}/auth/register", f"{API}/auth/token", f"{API}/auth/refresh", f"{API}/auth/logout",
        f"{API}/auth/password", f"{API}/conversations", f"{API}/conversations/{{conversation_id}}",
        f"{API}/conversations/{{conversation_id}}/messages", f"{API}/users/me", f"{API}/users/me/export",
        f"{API}/users/me/memories", f"{API}/users/me/memories/{{memory_id}}",
    } <= paths.keys()  # fmt: skip


def test_registering_answers_201_with_id_and_email(anonymous: Person) -> None:
    answer = anonymous.call("POST", "/auth/register", json={"email": anonymous.email, "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.json() == {"user_id": answer.json()["user_id"], "email": anonymous.email}
    UUID(answer.json()["user_id"])


def test_a_second_registration_of_an_email_answers_409_whatever_its_case(alice: Person, anonymous: Person) -> None:
    for email in (alice.email, alice.email.upper()):
        answer = anonymous.call("POST", "/auth/register", json={"email": email, "password": PASSWORD})
        assert_problem(answer, 409)


def test_signing_in_gives_an_oauth2_token_answer(alice: Person) -> None:
    assert alice.tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert alice.tokens["token_type"].lower() == "bearer"
    assert alice.tokens["expires_in"] > 0


def test_an_unknown_email_and_a_wrong_password_answer_alike(alice: Person, anonymous: Person) -> None:
    wrong = assert_problem(alice.sign_in("not the password"), 401)
    unknown = assert_problem(anonymous.sign_in(), 401)
    differing = {"request_id"}
    assert {k: v for k, v in wrong.items() if k not in differing} == {
        k: v for k, v in unknown.items() if k not in differing
    }


def test_failed_sign_ins_are_limited_and_lock_nobody_else_out(
    newcomer: Callable[[], Person], alice: Person, anonymous: Person
) -> None:
    victim = newcomer()
    answers = [victim.sign_in("not the password").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert_problem(victim.sign_in(), 429)
    assert alice.sign_in().status_code == 200
    # Those who succeed are never counted.
    assert [alice.sign_in().status_code for _ in range(12)] == [200] * 12
    assert anonymous.http.get("/healthz").status_code == 200


def test_a_refresh_token_works_once_and_its_reuse_ends_the_sign_in(alice: Person) -> None:
    first = alice.tokens
    renewed = alice.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] != first["refresh_token"]
    alice.tokens = renewed.json()
    assert alice.call("GET", "/conversations").status_code == 200
    assert_problem(alice.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}), 401)
    assert_problem(alice.call("POST", "/auth/refresh", json={"refresh_token": renewed.json()["refresh_token"]}), 401)
    assert_problem(alice.call("GET", "/conversations"), 401)


def test_logout_ends_its_own_sign_in_and_no_other(alice: Person, anonymous: Person) -> None:
    anonymous.email = alice.email
    assert anonymous.sign_in().status_code == 200
    answer = alice.call("POST", "/auth/logout", json={"refresh_token": alice.tokens["refresh_token"]})
    assert answer.status_code == 204
    assert_problem(alice.call("GET", "/conversations"), 401)
    assert_problem(alice.call("POST", "/auth/refresh", json={"refresh_token": alice.tokens["refresh_token"]}), 401)
    assert anonymous.call("GET", "/conversations").status_code == 200


def test_a_new_password_ends_all_other_sign_ins(alice: Person, anonymous: Person) -> None:
    anonymous.email = alice.email
    assert anonymous.sign_in().status_code == 200
    change = {"old_password": PASSWORD, "new_password": "an even longer horse"}
    assert_problem(alice.call("POST", "/auth/password", json=change | {"old_password": "wrong password"}), 401)
    assert alice.call("POST", "/auth/password", json=change).status_code == 204
    assert_problem(anonymous.call("GET", "/conversations"), 401)
    assert alice.call("GET", "/conversations").status_code == 200
    assert_problem(alice.sign_in(), 401)
    assert alice.sign_in("an even longer horse").status_code == 200


def test_lists_are_paged_with_a_cursor(alice: Person) -> None:
    begun = [alice.converse() for _ in range(5)]
    pages: list[list[str]] = []
    cursor = ""
    while True:
        answer = alice.call("GET", "/conversations", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert answer.json().keys() == {"items", "next"}
        pages.append([item["conversation_id"] for item in answer.json()["items"]])
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(itertools.chain(*pages)) == sorted(begun)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"cursor": "nonsense"}])
def test_a_page_that_cannot_be_is_refused(alice: Person, query: dict[str, str]) -> None:
    conversation = alice.converse()
    assert_problem(alice.call("GET", "/conversations", params=query), 422)
    assert_problem(alice.call("GET", f"/conversations/{conversation}", params=query), 422)


def test_a_conversation_shows_the_newest_page_first_each_in_ascending_order(alice: Person) -> None:
    conversation = alice.converse("Abby")
    for number in range(3):
        assert alice.say(conversation, f"message {number}").status_code == 200
    newest = alice.call("GET", f"/conversations/{conversation}", params={"limit": 4}).json()
    assert newest.keys() == {"conversation_id", "persona", "created_at", "messages", "next"}
    assert newest["persona"] == "Abby"
    older = alice.call("GET", f"/conversations/{conversation}", params={"limit": 4, "cursor": newest["next"]}).json()
    assert older["next"] is None
    told = [message["content"] for message in older["messages"] + newest["messages"] if message["sender"] == "user"]
    assert told == ["message 0", "message 1", "message 2"]
    assert [message["sender"] for message in older["messages"] + newest["messages"]] == ["user", "ai"] * 3


def test_a_reply_is_a_message_that_names_what_it_answers(alice: Person) -> None:
    conversation = alice.converse()
    reply = alice.say(conversation, "I was promoted.").json()
    assert reply.keys() == {
        "message_id", "conversation_id", "sender", "content", "created_at", "status", "user_message_id"
    }  # fmt: skip
    assert (reply["sender"], reply["status"], reply["conversation_id"]) == ("ai", "complete", conversation)
    assert reply["content"]
    told, answered = alice.history(conversation)
    assert (told["message_id"], told["content"]) == (reply["user_message_id"], "I was promoted.")
    assert answered == reply


def test_a_stream_brings_deltas_and_then_the_message_they_make(alice: Person) -> None:
    conversation = alice.converse()
    events = list(alice.stream(conversation, "Tell me about interviews."))
    assert [event["type"] for event in events[:-1]] == ["delta"] * (len(events) - 1)
    assert len(events) > 1
    assert events[-1]["type"] == "message"
    assert events[-1]["message"]["content"] == "".join(event["content"] for event in events[:-1])
    assert alice.history(conversation)[-1] == events[-1]["message"]


def test_a_client_that_goes_away_mid_stream_loses_nothing(alice: Person) -> None:
    conversation = alice.converse()
    stream = alice.stream(conversation, "Tell me a long story.")
    next(stream)
    stream.close()
    told, answered = eventually(lambda: (found := alice.history(conversation))[1:] and found)
    assert (told["sender"], answered["sender"]) == ("user", "ai")
    assert answered["content"]


def test_an_idempotency_key_makes_a_retry_safe(alice: Person, mallory: Person) -> None:
    conversation = alice.converse()
    key = str(uuid4())
    first = alice.say(conversation, "once", Idempotency_Key=key)
    again = alice.say(conversation, "once", Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(alice.history(conversation)) == 2
    assert_problem(alice.say(conversation, "something else", Idempotency_Key=key), 422)
    theirs = mallory.converse()
    assert mallory.say(theirs, "once", Idempotency_Key=key).json()["message_id"] != first.json()["message_id"]


def test_a_deleted_conversation_is_gone(alice: Person) -> None:
    conversation = alice.converse()
    alice.say(conversation, "forget this")
    assert alice.call("DELETE", f"/conversations/{conversation}").status_code == 204
    assert_problem(alice.call("GET", f"/conversations/{conversation}"), 404)
    assert_problem(alice.say(conversation, "again"), 404)
    assert alice.call("GET", "/conversations").json()["items"] == []


def test_an_export_has_everything(alice: Person) -> None:
    conversation = alice.converse()
    reply = alice.say(conversation, "I want to become a gardener.").json()
    exported = alice.call("GET", "/users/me/export")
    assert exported.status_code == 200
    assert alice.email in exported.text
    assert "I want to become a gardener." in exported.text
    assert reply["message_id"] in exported.text
    assert conversation in exported.text


def test_an_erased_person_is_gone_and_may_come_back_as_somebody_new(alice: Person) -> None:
    conversation = alice.converse()
    alice.say(conversation, "forget everything")
    refresh = alice.tokens["refresh_token"]
    erased = alice.call("DELETE", "/users/me")
    assert erased.status_code == 202
    assert alice.http.get(erased.headers["location"]).json() == erased.json()
    assert_problem(alice.call("GET", "/conversations"), 401)
    assert_problem(alice.call("POST", "/auth/refresh", json={"refresh_token": refresh}), 401)
    assert_problem(alice.sign_in(), 401)
    alice.tokens = {}
    alice.register()
    assert alice.call("GET", "/conversations").json()["items"] == []
    assert_problem(alice.call("GET", f"/conversations/{conversation}"), 404)


def test_what_was_told_in_one_conversation_is_remembered_in_the_next(alice: Person) -> None:
    alice.say(alice.converse(), "My dog is called Wittgenstein.")
    memories = eventually(alice.memories)
    assert [m["content"] for m in memories if m["sender"] == "user"] == ["My dog is called Wittgenstein."]


def test_a_person_takes_one_thing_away_that_is_remembered(alice: Person) -> None:
    conversation = alice.converse()
    alice.say(conversation, "My dog is called Wittgenstein.")

    def remembered() -> list[str]:
        items = alice.call("GET", "/users/me/memories").json()["items"]
        return [item["memory_id"] for item in items if item["sender"] == "user"]

    (memory,) = eventually(remembered)
    assert alice.call("DELETE", f"/users/me/memories/{memory}").status_code == 204
    assert remembered() == []
    assert_problem(alice.call("DELETE", f"/users/me/memories/{memory}"), 404)
    assert alice.history(conversation)[0]["content"] == "My dog is called Wittgenstein."
