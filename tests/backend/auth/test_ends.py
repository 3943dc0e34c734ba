"""An access token ends within a second, in every process, whatever a process remembers of it."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem

PROMISED_SECONDS = 1


@pytest.fixture
def elsewhere(backend: Backend) -> Iterator[Backend]:
    """A second process on the same database."""
    other = Backend(backend.postgres, backend.certificates, backend.ai_core_port, backend.database)
    with other:
        yield other


def test_a_token_ends_in_every_process_with_logout_a_new_password_and_erasure(
    elsewhere: Backend, newcomer: Callable[[], Person]
) -> None:
    people = [newcomer() for _ in range(3)]
    leaves, changes, erased = people
    ended = [person.tokens["access_token"] for person in people]
    other = Person(elsewhere.url, elsewhere.ca)
    reads = [(asks, token) for asks in (leaves, other) for token in ended]

    def read(asks: Person, token: str) -> int:
        answer = asks.call("GET", "/conversations", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            assert_problem(answer, 401)
        return answer.status_code

    # Each process has verified each token, and may remember it.
    assert [read(*one) for one in reads * 2] == [200] * 12
    assert (
        leaves.call("POST", "/auth/logout", json={"refresh_token": leaves.tokens["refresh_token"]}).status_code == 204
    )
    changes.sign_in()
    change = {"old_password": changes.password, "new_password": "an even longer horse"}
    assert changes.call("POST", "/auth/password", json=change).status_code == 204
    assert erased.call("DELETE", "/users/me").status_code == 202
    time.sleep(PROMISED_SECONDS)  # who asks from now on, however late, has to be refused
    assert [read(*one) for one in reads] == [401] * 6
    # The sign-in that changed the password goes on, everywhere.
    assert [read(asks, changes.tokens["access_token"]) for asks in (leaves, other)] == [200, 200]
    other.http.close()
