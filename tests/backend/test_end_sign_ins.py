"""An operator ends sign-ins; here in the process of the tests, with the command line and environment of the task."""

import time
from typing import Any

import pytest
from backend import end_sign_ins
from backend.auth.living import REMEMBERED_SECONDS

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem


def _run(backend: Backend, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    for name, value in backend.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["end_sign_ins", *arguments])
    monkeypatch.setattr("chassis.logs.configure", str)  # the log of the tests stays theirs
    end_sign_ins.main()
    time.sleep(REMEMBERED_SECONDS)  # another process ended them


def _refresh(person: Person) -> Any:
    return person.call("POST", "/auth/refresh", json={"refresh_token": person.tokens["refresh_token"]})


def test_an_operator_ends_a_persons_sign_ins_or_everybodys(
    alice: Person, mallory: Person, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = backend.sql("SELECT user_id FROM users WHERE email = :'email'", email=mallory.email)
    _run(backend, monkeypatch, "--of", user_id)
    assert_problem(mallory.call("GET", "/conversations"), 401)
    assert_problem(_refresh(mallory), 401)
    assert alice.call("GET", "/conversations").status_code == 200
    assert mallory.sign_in().status_code == 200
    _run(backend, monkeypatch, "--everybody")
    for person in (alice, mallory):
        assert_problem(person.call("GET", "/conversations"), 401)
        assert_problem(_refresh(person), 401)


def test_nobodys_sign_ins_end_by_a_slip(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    for slip in ([], ["--of", "somebody"]):
        with pytest.raises(SystemExit):
            _run(backend, monkeypatch, *slip)
