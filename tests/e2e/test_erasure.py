"""Somebody who was erased is gone from yesterday's backup too, on a whole Sanctum that was off meanwhile."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from backend.keys.epochs import EpochGone, epoch_keys
from backend.keys.outer import unwrap
from chassis.sealing.cells import Field, PersonKey
from chassis.sealing.key_service import context, key_service

from local.certificates import Authority
from local.postgres import Postgres
from tests.support.inside import server_of
from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.remains import assert_found, dumps, files, plant, remains
from tests.support.running import Sanctum, running
from tests.support.waiting import eventually

SECRET = "My grandmother's recipe has seven onions."
NEIGHBOURS = "My sailing boat is called Clementine."
CONTROL = "These words were stored without a seal."


def words(server: Postgres, state: Path) -> set[str]:
    """All that people said in the database of ``server``, as far as the keys in ``state`` open it."""
    services, epochs = key_service(str(state / "secrets/key-service")), epoch_keys(str(state / "epochs"))
    statement = (
        "SELECT m.user_id, message_id, encode(content, 'hex'), epoch, encode(wrapped, 'hex')"
        " FROM messages m JOIN user_keys k ON k.user_id = m.user_id AND purpose = 'messages' WHERE sender = 'user'"
    )
    found: set[str] = set()
    for row in server.query(statement, PGDATABASE="users").splitlines():
        user, message, content, epoch, wrapped = row.split("|")
        try:
            inner = unwrap(
                epochs.read(int(epoch)),
                user_id=UUID(user),
                purpose="messages",
                epoch=int(epoch),
                wrapped=bytes.fromhex(wrapped),
            )
        except EpochGone:
            continue
        key = PersonKey(UUID(user), services.unwrap(inner, context("messages", UUID(user))))
        found.add(key.open(Field("messages", "content"), UUID(message), bytes.fromhex(content)).decode())
    return found


def of_backup(backup: Path, state: Path) -> set[str]:
    """What the database files of yesterday give away today."""
    with Postgres(backup, Authority("Sanctum tests"), durable=False) as server:
        return words(server, state)


@dataclass(frozen=True)
class Life:
    """What the tests below look at."""

    state: Path
    receipt: dict[str, str | None]
    before: set[str]
    """What yesterday's backup gave away before the roll."""
    after: set[str]
    said_by_neighbour: list[str]
    alive: dict[str, bytes]
    """All places of the running Sanctum, before anybody was erased."""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("erasure")
    state, backup = folder / "state", folder / "yesterday"
    with stand_in() as model:
        with running(state, *model) as first:
            alice, bob = (Person(first.url, first.ca).register() for _ in range(2))
            talk = bob.converse()
            alice.say(alice.converse(), SECRET)
            bob.say(talk, NEIGHBOURS)
            eventually(lambda: alice.memories() and bob.memories())
            server = server_of(state)
            for database in ("users", "memory"):
                plant(server, database, CONTROL)
            alive = (
                files(state)
                | dumps(server, "users")
                | {f"{k} of the memory": v for k, v in dumps(server, "memory").items()}
            )
        shutil.copytree(state / "postgres", backup)
        with running(state, *model) as second:
            alice.http.close()
            again = _again(alice, second)
            location = again.call("DELETE", "/users/me").headers["location"]
            again.http.close()
        before = of_backup(backup, state)
        _was_off(state)
        with running(state, *model) as third:
            bob_again = _again(bob, third)
            receipt = eventually(lambda: _finished(bob_again, location), 60)
            said = [message["content"] for message in bob_again.history(talk)]
            bob_again.http.close()
        bob.http.close()
        yield Life(state, receipt, before, of_backup(backup, state), said, alive)


def _again(person: Person, sanctum: Sanctum) -> Person:
    """The same person, at the address that Sanctum has now."""
    again = Person(sanctum.url, sanctum.ca)
    again.email = person.email
    assert again.sign_in().status_code == 200
    return again


def _was_off(state: Path) -> None:
    """As if seven hours had passed since the tasks last ran."""
    tasks = state / "tasks.json"
    tasks.write_text(json.dumps({name: at - 7 * 3600 for name, at in json.loads(tasks.read_text()).items()}))


def _finished(person: Person, location: str) -> dict[str, str | None] | None:
    receipt = person.http.get(location).json()
    return receipt if receipt["backups_unreadable_at"] else None


def test_a_machine_that_was_off_finishes_the_erasure_when_it_is_on_again(life: Life) -> None:
    assert life.receipt["erased_at"]
    assert life.receipt["backups_unreadable_at"]
    events = [
        json.loads(line)["event"] for line in (life.state / "logs/backend.roll_keys.log").read_text().splitlines()
    ]
    assert events[-1] == "keys.no_erasure_waits"


def test_yesterdays_backup_gives_the_words_away_before_the_roll_and_not_after(life: Life) -> None:
    assert life.before == {SECRET, NEIGHBOURS}
    assert life.after == set()


def test_the_neighbour_goes_on_reading(life: Life) -> None:
    assert life.said_by_neighbour[0] == NEIGHBOURS


def test_no_words_are_in_a_dump_a_file_or_the_log_of_a_store_while_a_person_lives(life: Life) -> None:
    found = remains(life.alive, CONTROL)
    heaps = [f"postgres/cluster/data/{place}" for place in ("base/", "pg_wal/")]
    assert_found(found, ["dump in SQL", "unpacked dump", "dump in SQL of the memory", *heaps])
    for word in (SECRET, NEIGHBOURS):
        assert remains(life.alive, word) == set()
