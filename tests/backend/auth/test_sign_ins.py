"""How long a sign-in lives, and what is written about it."""

import json
from typing import Any
from uuid import uuid4

import httpx

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually


def _refresh(person: Person, token: str) -> httpx.Response:
    return person.call("POST", "/auth/refresh", json={"refresh_token": token})


def _lines(backend: Backend, **wanted: Any) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in backend.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if wanted.items() <= line.items()]


def _user_id(backend: Backend, person: Person) -> str:
    return backend.sql("SELECT user_id FROM users WHERE email = :'email'", email=person.email)


def test_a_sign_in_ends_at_last_however_often_it_is_used(alice: Person, backend: Backend) -> None:
    who = _user_id(backend, alice)
    long = "SELECT expires_at > now() + interval '50 minutes' FROM sign_ins WHERE user_id = :'who'"
    assert backend.sql(long, who=who) == "t"
    backend.sql("UPDATE sign_ins SET began_at = now() - interval '90 minutes' WHERE user_id = :'who'", who=who)
    assert _refresh(alice, alice.tokens["refresh_token"]).status_code == 200
    assert backend.sql(long, who=who) == "f"
    at_last = "SELECT expires_at = began_at + interval '2 hours' FROM sign_ins WHERE user_id = :'who'"
    assert backend.sql(at_last, who=who) == "t"


def test_what_is_done_with_a_sign_in_is_in_the_log(anonymous: Person, backend: Backend) -> None:
    anonymous.register()
    first = anonymous.tokens["refresh_token"]
    user_id = _user_id(backend, anonymous)
    assert_problem(anonymous.sign_in("another phrase"), 401)
    assert _refresh(anonymous, first).status_code == 200
    assert_problem(_refresh(anonymous, first), 401)
    anonymous.sign_in()
    change = {"old_password": "another phrase", "new_password": "a third phrase"}
    assert_problem(anonymous.call("POST", "/auth/password", json=change), 401)
    anonymous.call("POST", "/auth/logout", json={"refresh_token": anonymous.tokens["refresh_token"]})
    events = [line["event"] for line in _lines(backend, user_id=user_id) if line["event"] != "request.done"]
    assert events == [
        "account.registered", "sign_in.begun", "sign_in.failed", "sign_in.renewed", "refresh_token.reused",
        "sign_in.not_renewed", "sign_in.begun", "account.password_not_changed", "sign_in.ended",
    ]  # fmt: skip


def test_a_failed_sign_in_to_no_account_is_in_the_log(anonymous: Person, backend: Backend) -> None:
    before = len(_lines(backend, event="sign_in.failed", user_id=None))
    assert_problem(anonymous.sign_in(f"phrase {uuid4()}"), 401)
    assert len(_lines(backend, event="sign_in.failed", user_id=None)) == before + 1


def test_the_line_of_a_request_says_who_called(alice: Person, anonymous: Person, backend: Backend) -> None:
    for person, who in ((alice, _user_id(backend, alice)), (anonymous, None)):
        request_id = person.call("GET", "/conversations").headers["x-request-id"]
        (line,) = eventually(lambda wanted=request_id: _lines(backend, event="request.done", request_id=wanted))
        assert line["user_id"] == who
