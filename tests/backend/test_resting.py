"""When nobody is there, the backend leaves its database alone, so that it can pause; whoever comes then is served."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person
from tests.support.waiting import eventually

QUIET_SECONDS = 2
CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'backend'
"""


@pytest.fixture
def tired(deployed: Backend, ai_core: AiCoreStandIn) -> Iterator[Backend]:
    """A backend that leaves its database alone soon after nobody is there."""
    variables = {"DATABASE_QUIET_SECONDS": str(QUIET_SECONDS)}
    name = f"own_{uuid4().hex}"
    backend = Backend(deployed.postgres, deployed.certificates, ai_core.port, name, variables=variables)
    backend.copy(deployed)
    with backend:
        yield backend


@pytest.fixture
def dave(tired: Backend) -> Iterator[Person]:
    """Somebody who uses it."""
    person = Person(tired.url, tired.ca).register()
    yield person
    person.http.close()


def _rests(backend: Backend) -> bool:
    return backend.sql(CONNECTIONS) == "0"


def test_a_database_that_nobody_uses_has_no_connection_and_the_next_request_is_served(
    dave: Person, tired: Backend
) -> None:
    conversation = dave.converse()
    assert dave.say(conversation, "hello").status_code == 200
    dave.call("POST", "/auth/refresh", json={"refresh_token": "none"})  # both pools have connections
    assert not _rests(tired)
    for _ in range(2):
        eventually(lambda: _rests(tired), 20)
        assert dave.http.get("/healthz").status_code == 200
        assert _rests(tired)
        assert dave.say(conversation, "hello again").status_code == 200
        assert not _rests(tired)
    assert len(dave.history(conversation)) == 6


def test_who_goes_on_using_it_keeps_it_awake(dave: Person, tired: Backend) -> None:
    dave.converse()
    left_alone = tired.log.read_text().count("database.left_alone")
    begun = last = time.monotonic()
    longest = 0.0
    while time.monotonic() < begun + 3 * QUIET_SECONDS:
        assert dave.call("GET", "/conversations").status_code == 200
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        time.sleep(0.1)
    # A machine that is too busy to ask in time leaves it alone.
    assert tired.log.read_text().count("database.left_alone") == left_alone or longest >= QUIET_SECONDS


def test_a_row_that_was_put_off_keeps_it_awake_until_it_is_delivered(
    dave: Person, tired: Backend, ai_core: AiCoreStandIn
) -> None:
    ai_core.memory_away = True
    conversation = dave.converse()
    dave.say(conversation, "remember this")
    user_id = ai_core.questions[-1]["user_id"]
    attempted = "SELECT attempts > 1 AND next_at > clock_timestamp() FROM outbox"
    eventually(lambda: tired.sql(attempted) == "t", 20)
    tired.sql("UPDATE outbox SET next_at = clock_timestamp() + interval '4 s'")
    ai_core.memory_away = False
    eventually(lambda: len(ai_core.memory(user_id).messages) == 2, 20)
    eventually(lambda: _rests(tired), 20)


def test_what_a_process_that_died_left_behind_is_found_by_its_replacement(
    tired: Backend, ai_core: AiCoreStandIn
) -> None:
    eventually(lambda: _rests(tired), 20)
    tired.kill()
    user_id = str(uuid4())
    tired.sql("INSERT INTO outbox (user_id) VALUES (:'it')", it=user_id)
    tired.start()
    eventually(lambda: ai_core.memory(user_id).forgotten, 20)
    eventually(lambda: _rests(tired), 20)
