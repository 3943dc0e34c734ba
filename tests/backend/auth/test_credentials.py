"""Accounts that somebody changed in the database: nobody signs in to them."""

import json
from uuid import UUID, uuid4

import pytest
from backend.auth.credentials import Credentials, Stored, as_written, mac_of
from chassis.sealing.cells import PersonKey

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem

ROW = "(SELECT {} FROM users WHERE email = :'mallory')"
CHANGES = {
    "anothers-hash": f"hashed_password = {ROW.format('hashed_password')}",
    "anothers-hash-and-mac": f"hashed_password = {ROW.format('hashed_password')}, mac = {ROW.format('mac')}",
    "rev": "rev = rev + 1",
    "anothers-mac": f"mac = {ROW.format('mac')}",
    "no-mac": "mac = ''",
}


def _alarms(backend: Backend) -> int:
    return backend.log.read_text().count('"credentials.changed_outside"')


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nobody_signs_in_to_an_account_that_was_changed(
    alice: Person, mallory: Person, backend: Backend, change: str
) -> None:
    knows = {"email": alice.email, "mallory": mallory.email}
    kept = backend.sql("SELECT encode(mac, 'hex'), hashed_password, rev FROM users WHERE email = :'email'", **knows)
    assert mallory.call("POST", "/auth/password", json=_to(mallory, "mallory chose this one")).status_code == 204
    before = _alarms(backend)
    backend.sql(f"UPDATE users SET {change} WHERE email = :'email'", **knows)  # noqa: S608
    # Mallory's password where his hash stands, and hers where it still does.
    answers = [alice.sign_in("mallory chose this one"), alice.sign_in()]
    for answer in answers:
        assert_problem(answer, 401)
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert _alarms(backend) > before
    # Nor does the password change with it, also for who is signed in.
    for old in ("mallory chose this one", alice.password):
        assert_problem(alice.call("POST", "/auth/password", json=_from(old)), 401)
    mac, hashed, rev = kept.split("|")
    restored = "mac = decode(:'mac', 'hex'), hashed_password = :'hashed', rev = :'rev'"
    backend.sql(f"UPDATE users SET {restored} WHERE email = :'email'", mac=mac, hashed=hashed, rev=rev, **knows)  # noqa: S608
    assert alice.sign_in().status_code == 200


def test_an_email_that_was_changed_opens_no_account(alice: Person, backend: Backend) -> None:
    other = f"{uuid4()}@example.com"
    backend.sql("UPDATE users SET email = :'other' WHERE email = :'email'", email=alice.email, other=other)
    alice.email = other
    before = _alarms(backend)
    assert_problem(alice.sign_in(), 401)
    assert _alarms(backend) == before + 1


def test_the_keys_of_another_do_not_help(alice: Person, mallory: Person, backend: Backend) -> None:
    backend.sql(
        "UPDATE users SET hashed_password = him.hashed_password, rev = him.rev, mac = him.mac FROM users him "
        "WHERE users.email = :'her' AND him.email = :'him'",
        her=alice.email, him=mallory.email,
    )  # fmt: skip
    backend.sql(
        "UPDATE user_keys SET wrapped = o.wrapped, epoch = o.epoch FROM user_keys o, users her, users him "
        "WHERE her.email = :'her' AND him.email = :'him' AND user_keys.user_id = her.user_id "
        "AND o.user_id = him.user_id AND o.purpose = user_keys.purpose",
        her=alice.email, him=mallory.email,
    )  # fmt: skip
    assert_problem(alice.sign_in(mallory.password), 401)


@pytest.mark.parametrize(
    ("change", "his_own"),
    [
        # His own sign-in is made hers; a token of his is hung on hers; one is added for her, as a hash of his choice.
        ("UPDATE sign_ins SET user_id = :'her' WHERE sign_in_id = :'his_sign_in'", 401),
        ("UPDATE refresh_tokens SET sign_in_id = :'her_sign_in' WHERE sign_in_id = :'his_sign_in'", 401),
        ("INSERT INTO refresh_tokens (sign_in_id, token_hash) VALUES (:'her_sign_in', sha256(:'token'))", 200),
    ],
    ids=["owner", "moved", "added"],
)
def test_nobody_makes_a_sign_in_of_anothers(
    alice: Person, mallory: Person, backend: Backend, change: str, his_own: int
) -> None:
    tokens = [person.tokens["refresh_token"] for person in (alice, mallory)]
    hers, his = (UUID(hex=token.partition(".")[0]) for token in tokens)
    made_up = f"{hers.hex}.made-up"
    user_id = backend.sql("SELECT user_id FROM users WHERE email = :'it'", it=alice.email)
    backend.sql(change, her=user_id, her_sign_in=str(hers), his_sign_in=str(his), token=made_up)
    for token in (f"{hers.hex}.{tokens[1].partition('.')[2]}", made_up):
        assert_problem(mallory.call("POST", "/auth/refresh", json={"refresh_token": token}), 401)
    # What is still his goes on, and is his.
    assert mallory.call("POST", "/auth/refresh", json={"refresh_token": tokens[1]}).status_code == his_own


def test_the_password_changes_as_often_as_one_likes(alice: Person, backend: Backend) -> None:
    for number in range(1, 4):
        new = f"{alice.password} {number}"
        assert alice.call("POST", "/auth/password", json=_to(alice, new)).status_code == 204
        alice.password = new
        assert alice.sign_in().status_code == 200
        assert backend.sql("SELECT rev FROM users WHERE email = :'it'", it=alice.email) == str(number + 1)


def test_the_mac_is_over_every_part() -> None:
    key, right = PersonKey(UUID(int=1), bytes(32)), Credentials(UUID(int=1), "a@b.example", "hash", 1)
    mac = mac_of(key, right)
    assert as_written(key, Stored(right, mac))
    wrong = [
        Credentials(UUID(int=2), "a@b.example", "hash", 1),
        Credentials(UUID(int=1), "a@b.exampleh", "ash", 1),
        Credentials(UUID(int=1), "a@b.example", "other", 1),
        Credentials(UUID(int=1), "a@b.example", "hash", 2),
    ]
    assert not any(as_written(key, Stored(credentials, mac)) for credentials in wrong)
    assert not as_written(PersonKey(UUID(int=1), bytes(31) + b"1"), Stored(right, mac))
    assert not as_written(key, Stored(right, None))
    assert "hash" not in json.dumps([repr(right), repr(Stored(right, mac).credentials)])


def _to(person: Person, new: str) -> dict[str, str]:
    return {"old_password": person.password, "new_password": new}


def _from(old: str) -> dict[str, str]:
    return {"old_password": old, "new_password": "whatever it may be"}
