"""Somebody who was erased is gone from yesterday's backup too, on a whole Sanctum that was off meanwhile."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
from ai_core.memory.embedder import Embedding
from ai_core.memory.records import VECTOR
from ai_core.memory.vectors import pack
from backend.keys.epochs import EpochGone, epoch_keys
from backend.keys.outer import unwrap
from chassis.sealing.cells import CannotOpen, Field, PersonKey
from chassis.sealing.key_service import context, key_service

from local.certificates import Authority
from local.postgres import Postgres
from tests.e2e.opensearch_itself import vectors_of
from tests.erasure.opened import keys_in, opened
from tests.support.archive import ARCHIVE, archiving, base_backup, log_statements
from tests.support.inside import server_of
from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.remains import assert_found, dumps, files, found, plant, plant_vector, remains
from tests.support.running import Sanctum, running
from tests.support.vectors import forms_of
from tests.support.waiting import eventually

SECRET = "My grandmother's recipe has seven onions."
NEIGHBOURS = "My sailing boat is called Clementine."
CONTROL = "These words were stored without a seal."
QUESTION = "What is in my recipe?"
DATABASES = ("users", "memory")


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
    embeddings: list[Embedding]
    """Of what Alice said, and of the control."""
    stored: set[bytes]
    """The vectors in the memory, opened."""
    index: str
    """The file of an index over the control."""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("erasure")
    state, backup = folder / "state", folder / "yesterday"
    with stand_in() as model:
        archiving(state)
        with running(state, *model) as first:
            alice, bob = (Person(first.url, first.ca).register() for _ in range(2))
            server = server_of(state)
            # From here on: an e-mail is no secret to the database, and the tests' own search finds it in logs.
            log_statements(server, DATABASES, wanted=True)
            eventually(lambda: alice.call("GET", "/conversations").status_code == 200)
            talk = bob.converse()
            assert alice.say(alice.converse(), SECRET).status_code == 200
            assert bob.say(talk, NEIGHBOURS).status_code == 200
            eventually(lambda: alice.memories() and bob.memories())
            alice.say(alice.converse(), QUESTION)
            embeddings = vectors_of(SECRET, CONTROL)
            stored = _stored_vectors(server, state)
            for database in DATABASES:
                plant(server, database, CONTROL)
            plant_vector(server, "memory", embeddings[-1])
            log_statements(server, DATABASES, wanted=False)
            index = server.query("SELECT pg_relation_filepath('a_control_it_idx')", PGDATABASE="users")
            wal = {f"WAL: {path}": content for path, content in files(state / "postgres/cluster/data/pg_wal").items()}
            base_backup(server, folder / "base")
            alive = (
                wal
                | files(state)
                | {f"base backup: {path}": content for path, content in files(folder / "base").items()}
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
        yield Life(state, receipt, before, of_backup(backup, state), said, alive, embeddings, stored, index)


def _stored_vectors(server: Postgres, state: Path) -> set[bytes]:
    """Those of all memories, opened."""
    keys = [
        PersonKey(key.user_id, data_key)
        for key in keys_in(server, "users")
        for data_key in opened([key], state)["memories"]
    ]
    chosen = "SELECT memory_id, encode(vector, 'hex') FROM memories ORDER BY memory_id"
    rows = [row.split("|") for row in server.query(chosen, PGDATABASE="memory").splitlines()]
    vectors: set[bytes] = set()
    for key, (memory, cell) in product(keys, rows):
        with suppress(CannotOpen):
            vectors.add(key.open(VECTOR, UUID(memory), bytes.fromhex(cell)))
    return vectors


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
    assert life.before == {SECRET, NEIGHBOURS, QUESTION}
    assert life.after == set()


def test_the_neighbour_goes_on_reading(life: Life) -> None:
    assert life.said_by_neighbour[0] == NEIGHBOURS


PLACES = (
    *("dump in SQL", "unpacked dump", "dump in SQL of the memory", "unpacked dump of the memory"),
    *("postgres/cluster/data/base/", "WAL: ", "base backup: base/", ARCHIVE),
)
"""Where plain words would be."""
STATEMENTS = "logs/postgres.log"


def test_no_words_are_in_a_dump_a_file_an_archive_or_a_log_while_a_person_lives(life: Life) -> None:
    finds = remains(life.alive, CONTROL)
    assert_found(finds, [*PLACES, f"postgres/cluster/data/{life.index}"])
    assert_found(finds, [STATEMENTS], ["raw"])
    # Not only the statements of the tests: also those of the services, with what stands for their parameters.
    assert rb"'\x01" in life.alive[STATEMENTS]
    for word in (SECRET, NEIGHBOURS):
        assert remains(life.alive, word) == set()


def test_no_vector_is_in_any_of_them(life: Life) -> None:
    """Words can be made of it again."""
    *embeddings, control = life.embeddings
    # What is searched for is what is stored.
    assert {pack(embedding) for embedding in embeddings} <= life.stored
    finds = found(life.alive, forms_of(control))
    assert_found(finds, PLACES[4:], ["float32, raw", "int8, raw", "int8, base64"])
    assert_found(finds, PLACES[2:4], ["text", "int8, hex", "int8, base64"])
    assert_found(finds, [STATEMENTS], ["text", "int8, hex"])
    for embedding in embeddings:
        assert found(life.alive, forms_of(embedding)) == set()
