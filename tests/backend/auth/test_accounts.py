"""Accounts, passwords and refresh tokens, over HTTP."""

import json
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import pytest

from tests.backend.process import Backend
from tests.support.person import PASSWORD, Person, assert_problem


def test_an_email_is_kept_in_one_spelling(anonymous: Person) -> None:
    local = anonymous.email.partition("@")[0]
    sent = f"{local.upper()}@BÜCHER.example"
    answer = anonymous.call("POST", "/auth/register", json={"email": sent, "password": PASSWORD})
    assert answer.json()["email"] == f"{local}@bücher.example"
    for spelling in (f"{local}@xn--bcher-kva.example", sent.lower()):
        again = anonymous.call("POST", "/auth/register", json={"email": spelling, "password": PASSWORD})
        assert_problem(again, 409)
        anonymous.email = spelling
        assert anonymous.sign_in().status_code == 200


def test_a_wrong_email_is_not_repeated(anonymous: Person) -> None:
    answer = anonymous.call(
        "POST", "/auth/register", json={"email": "private.person@@example.com", "password": PASSWORD}
    )
    assert assert_problem(answer, 422)["errors"][0]["pointer"] == "/body/email"
    assert "private" not in answer.text


@pytest.mark.parametrize(
    ("password", "status"),
    [("7 chars", 422), ("8 chars.", 201), ("ä" * 1024, 201), ("a" * 1025, 422)],
    ids=["7", "8", "1024", "1025"],
)
def test_a_password_has_8_to_1024_characters(anonymous: Person, password: str, status: int) -> None:
    answer = anonymous.call("POST", "/auth/register", json={"email": anonymous.email, "password": password})
    assert answer.status_code == status
    assert password not in answer.text
    if status == 201:
        assert anonymous.sign_in(password).status_code == 200


def test_unknown_members_of_a_body_are_refused(anonymous: Person) -> None:
    body = {"email": anonymous.email, "password": PASSWORD, "admin": True}
    assert (
        assert_problem(anonymous.call("POST", "/auth/register", json=body), 422)["errors"][0]["pointer"]
        == "/body/admin"
    )


def test_a_password_in_the_address_is_not_read(alice: Person) -> None:
    credentials = {"username": alice.email, "password": PASSWORD}
    assert_problem(alice.call("POST", "/auth/token", params=credentials), 422)
    wrong = credentials | {"password": "another phrase"}
    assert_problem(alice.call("POST", "/auth/token", params=credentials, data=wrong), 401)


def test_the_password_is_stored_as_an_argon2id_hash(alice: Person, backend: Backend) -> None:
    stored = backend.sql("SELECT hashed_password FROM users WHERE email = :'email'", email=alice.email)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_token_of_another_life_is_refused(alice: Person) -> None:
    head, claims, signature = alice.tokens["access_token"].split(".")
    for forged in (f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}", "a.b.c", "e30.e30.e30", "é"):
        token = {"Authorization": f"Bearer {forged}".encode()}
        assert_problem(alice.http.request("GET", "/api/v1/conversations", headers=token), 401)  # pyright: ignore[reportArgumentType] - bytes are taken, and the stubs do not know


def test_a_refresh_token_ends_with_its_sign_in(alice: Person, backend: Backend) -> None:
    backend.sql(
        "UPDATE sign_ins SET expires_at = now() - interval '1 second' FROM users "
        "WHERE users.user_id = sign_ins.user_id AND email = :'email'",
        email=alice.email,
    )
    assert_problem(alice.call("POST", "/auth/refresh", json={"refresh_token": alice.tokens["refresh_token"]}), 401)
    assert_problem(alice.call("GET", "/conversations"), 401)


def test_logging_out_with_an_unknown_token_is_no_error(anonymous: Person) -> None:
    assert anonymous.call("POST", "/auth/logout", json={"refresh_token": "unknown"}).status_code == 204


def test_refresh_tokens_are_stored_as_hashes(alice: Person, backend: Backend) -> None:
    token = alice.tokens["refresh_token"]
    sign_in_id = str(UUID(hex=token.partition(".")[0]))
    (stored,) = backend.sql(
        "SELECT encode(token_hash, 'hex') FROM refresh_tokens WHERE sign_in_id = :'it'", it=sign_in_id
    ).split()
    secret = token.partition(".")[2]
    assert stored not in {sha256(part.encode()).hexdigest() for part in (token, secret)}
    assert secret.encode().hex() not in stored


@pytest.mark.parametrize("token", ["unknown", ".", f"{UUID(int=1).hex}.unknown", "é" * 32 + ".x"])
def test_a_refresh_token_that_nobody_issued_is_refused(anonymous: Person, token: str) -> None:
    body = json.dumps({"refresh_token": token}).encode()
    typed = {"Content-Type": "application/json"}
    assert_problem(anonymous.call("POST", "/auth/refresh", content=body, headers=typed), 401)
    assert anonymous.call("POST", "/auth/logout", content=body, headers=typed).status_code == 204


def test_who_knows_the_id_of_a_sign_in_can_neither_renew_nor_end_it(alice: Person, anonymous: Person) -> None:
    made_up = alice.tokens["refresh_token"].partition(".")[0] + ".made-up"
    assert_problem(anonymous.call("POST", "/auth/refresh", json={"refresh_token": made_up}), 401)
    assert anonymous.call("POST", "/auth/logout", json={"refresh_token": made_up}).status_code == 204
    assert alice.call("GET", "/conversations").status_code == 200
    assert alice.call("POST", "/auth/refresh", json={"refresh_token": alice.tokens["refresh_token"]}).status_code == 200


def test_a_wrong_old_password_counts_as_a_failed_sign_in(alice: Person) -> None:
    wrong = {"old_password": "wrong", "new_password": "long enough"}
    answers = [alice.call("POST", "/auth/password", json=wrong) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert_problem(answers[-1], 429)
    assert_problem(alice.sign_in(), 429)


def test_a_success_clears_what_failed_before(newcomer: Callable[[], Person]) -> None:
    alice = newcomer()
    for _ in range(2):
        assert [alice.sign_in("wrong password").status_code for _ in range(9)] == [401] * 9
        assert alice.sign_in().status_code == 200
