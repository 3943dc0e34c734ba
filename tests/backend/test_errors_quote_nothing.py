"""Errors that quote what a person said, provoked in a running backend: neither its log nor its answers repeat them."""

from collections.abc import Iterator

import httpx
import pytest

from local.failure import Failure
from tests.backend.process import Backend
from tests.support.canaries import Search
from tests.support.person import Person, assert_problem

WORDS = "Nobody may know of my offer"


@pytest.fixture
def silent(own_backend: Backend) -> Iterator[None]:
    """Nothing of WORDS is in the logs of the backend and of PostgreSQL afterwards."""
    before = own_backend.postgres.log_file.stat().st_size
    yield
    log = own_backend.log.read_bytes() + own_backend.postgres.log_file.read_bytes()[before:]
    assert b"request.done" in log
    assert not list(Search({WORDS.encode()}).find(log))


@pytest.mark.usefixtures("silent")
def test_a_row_that_the_database_refuses_and_quotes(own_backend: Backend, carol: Person) -> None:
    conversation = carol.converse()
    carol.say(conversation, WORDS)
    own_backend.sql("ALTER TABLE messages ADD CONSTRAINT refuses CHECK (octet_length(content) < 1) NOT VALID")
    # PostgreSQL does quote the row, to whoever asks; what it has of it is sealed.
    with pytest.raises(Failure, match="Failing row contains") as quoted:
        own_backend.sql("UPDATE messages SET content = content WHERE sender = 'user'")
    assert not list(Search({WORDS.encode()}).find(str(quoted.value).encode()))
    answer = carol.say(conversation, WORDS)
    assert_problem(answer, 500)
    assert WORDS not in answer.text
    assert "CheckViolation" in own_backend.log.read_text()  # type and place


def test_an_account_that_the_database_refuses_and_quotes(own_backend: Backend, carol: Person) -> None:
    mine, registration = b"nobody.may.know", {"email": "nobody.may.know@offer.example", "password": carol.password}
    before = own_backend.postgres.log_file.stat().st_size
    own_backend.sql("ALTER TABLE users ADD CONSTRAINT refuses CHECK (length(email) < 1) NOT VALID")
    with pytest.raises(Failure) as quoted:
        own_backend.sql("UPDATE users SET email = :'email'", email=registration["email"])
    assert ("raw", mine) in set(Search({mine}).find(str(quoted.value).encode()))
    assert_problem(carol.call("POST", "/auth/register", json=registration), 500)
    log = own_backend.log.read_bytes() + own_backend.postgres.log_file.read_bytes()[before:]
    assert b"CheckViolation" in log
    assert not list(Search({mine}).find(log))


@pytest.mark.usefixtures("silent")
def test_a_request_that_cannot_be_read(carol: Person) -> None:
    typed = {"Content-Type": "application/json"}
    path = f"/conversations/{carol.converse()}/messages"
    answers: list[httpx.Response] = [
        carol.call("POST", path, content=f'{{"content": "{WORDS}'.encode(), headers=typed),
        carol.call("POST", path, content=f'{{"content": "{WORDS}\xff"}}'.encode("latin-1"), headers=typed),
        carol.call("POST", path, json={"content": [WORDS]}),
        carol.call("POST", path, json={"content": WORDS + "\0"}),
        carol.call("POST", path, json={"content": "a"}, headers={"Idempotency-Key": WORDS * 10}),
        carol.call("POST", "/auth/register", json={"email": WORDS, "password": WORDS}),
        carol.call("GET", "/conversations", params={"cursor": WORDS}),
        carol.call("POST", "/conversations", json={"persona": WORDS}),
    ]
    for answer in answers:
        assert_problem(answer, 422)
        assert WORDS not in answer.text
    assert carol.call("GET", f"/{WORDS}").status_code == 404
