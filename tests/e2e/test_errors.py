"""Every documented error, from outside: always the same problem document, never more than the caller may know."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.person import API, Person, assert_problem


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations"), ("POST", "/conversations"), ("GET", f"/conversations/{UUID(int=7)}"),
        ("DELETE", f"/conversations/{UUID(int=7)}"), ("POST", f"/conversations/{UUID(int=7)}/messages"),
        ("GET", "/users/me/export"), ("DELETE", "/users/me"), ("POST", "/auth/password"),
        ("GET", "/users/me/memories"), ("DELETE", f"/users/me/memories/{UUID(int=7)}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Basic YTpi"])
def test_without_a_good_token_everything_answers_401(anonymous: Person, method: str, path: str, token: str) -> None:
    assert_problem(anonymous.call(method, path, headers={"Authorization": token}), 401)


def test_a_refresh_token_is_no_access_token(alice: Person) -> None:
    token = {"Authorization": f"Bearer {alice.tokens['refresh_token']}"}
    assert_problem(alice.call("GET", "/conversations", headers=token), 401)


def test_an_unknown_address_answers_404_and_a_wrong_method_405(alice: Person) -> None:
    assert_problem(alice.http.get("/nothing-here"), 404)
    assert_problem(alice.call("GET", "/nothing-here"), 404)
    answer = alice.call("PATCH", "/conversations")
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content",
    ["", " \n\t ", "a\x00b", None, 7, ["a"]],
    ids=["empty", "blank", "nul", "null", "number", "list"],
)
def test_a_message_that_is_none_answers_422(alice: Person, content: Any) -> None:
    conversation = alice.converse()
    answer = alice.call("POST", f"/conversations/{conversation}/messages", json={"content": content})
    assert assert_problem(answer, 422)["errors"][0]["pointer"] == "/body/content"
    assert alice.history(conversation) == []


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b'{"content": "\\ud800"}', b'{"content": "\xff"}', b"[" * 50_000, b'{"content": 1e999}', b"null"],
    ids=["broken", "empty", "surrogate", "not-utf-8", "deep", "infinite", "null"],
)
def test_a_body_that_is_none_answers_422(alice: Person, body: bytes) -> None:
    conversation = alice.converse()
    path = f"/conversations/{conversation}/messages"
    assert_problem(alice.call("POST", path, content=body, headers={"Content-Type": "application/json"}), 422)


def test_a_message_may_have_4000_characters_and_not_one_more(alice: Person) -> None:
    conversation = alice.converse()
    assert alice.say(conversation, "\N{GRINNING FACE}" * 4000).status_code == 200
    assert_problem(alice.say(conversation, "a" * 4001), 413)


def test_a_body_beyond_64_kib_answers_413_however_it_is_sent(alice: Person) -> None:
    path = f"/conversations/{alice.converse()}/messages"
    headers = {"Content-Type": "application/json"}
    assert_problem(alice.call("POST", path, content=b" " * 65_537, headers=headers), 413)
    chunks = (b" " * 1024 for _ in range(65))
    assert_problem(alice.call("POST", path, content=chunks, headers=headers), 413)


def test_a_body_of_another_kind_answers_415(alice: Person, anonymous: Person) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/conversations/{alice.converse()}/messages"
    assert_problem(alice.call("POST", path, content=b"content=a", headers=form), 415)
    assert_problem(anonymous.call("POST", "/auth/token", json={"username": "a", "password": "b"}), 415)


@pytest.mark.parametrize("persona", ["gem", "Alice", "", None])
def test_an_unknown_persona_answers_422(alice: Person, persona: str | None) -> None:
    assert_problem(alice.call("POST", "/conversations", json={"persona": persona}), 422)


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@", "a@b@c.example", "a\x00@example.com", "a" * 400 + "@example.com"]
)
def test_an_email_that_is_none_answers_422(anonymous: Person, email: str) -> None:
    answer = anonymous.call("POST", "/auth/register", json={"email": email, "password": "long enough"})
    assert_problem(answer, 422)
    assert email not in answer.text or not email


def test_a_problem_never_repeats_a_password(anonymous: Person) -> None:
    answer = anonymous.call("POST", "/auth/register", json={"email": "nobody", "password": "hunter2-hunter2"})
    assert_problem(answer, 422)
    assert "hunter2" not in answer.text


def test_only_the_frontend_of_the_settings_may_call_from_a_browser(anonymous: Person) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    path = f"{API}/conversations"
    allowed = anonymous.http.options(path, headers={"Origin": "http://localhost:5173"} | ask)
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:5173"
    for origin in ("https://evil.example", "http://localhost:5174", "null", "https://localhost:5173"):
        refused = anonymous.http.options(path, headers={"Origin": origin} | ask)
        assert "access-control-allow-origin" not in refused.headers


def test_every_answer_says_that_only_tls_is_to_be_used(anonymous: Person) -> None:
    for path in ("/healthz", "/nothing-here", f"{API}/conversations"):
        assert anonymous.http.get(path).headers["strict-transport-security"].startswith("max-age=")
