"""Sanctum on one machine with ``MEMORY=opensearch``: it remembers there, and survives what happens to it.

Before the tests it has run on OpenSearch until it was killed, then on pgvector, and now runs on OpenSearch again.
"""

import http.client
import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from urllib.parse import urlsplit

import httpx
import pytest
from ai_core.memory.vectors import pack

from local.opensearch_binaries import missing
from tests.e2e.opensearch_itself import call, plant_in, server, stored_vectors, vectors_of
from tests.support.inside import environment_of, process_of, processes_told
from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.remains import ENCODINGS, assert_found, files, found, remains
from tests.support.running import Sanctum, running
from tests.support.segments import segments
from tests.support.vectors import forms_of
from tests.support.waiting import eventually

OPENSEARCH = ("--memory", "opensearch")
RAN_BEFORE = "Sanctum ran with MEMORY={} before."
MEMORY_SECONDS = 60
SECRET = "My grandmother's recipe has seven onions."
CONTROL = "These words were stored without a seal."
UNPACKED = "segments, as Lucene reads them"
RESTART_SECONDS = 240


@dataclass(frozen=True)
class Life:
    """What Sanctum is after it has changed its store twice."""

    sanctum: Sanctum
    witness: Person
    """Said on OpenSearch that their cat is called Schopenhauer."""
    said: list[str]
    """What each start told whoever started it."""
    known_to_pgvector: str


def _leave(person: Person) -> None:
    person.http.close()


def _again(person: Person, sanctum: Sanctum) -> None:
    """Sign in where Sanctum answers now."""
    person.http.close()
    person.reach(sanctum.url, sanctum.ca)
    assert person.sign_in().status_code == 200


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    if lacks := missing():
        pytest.skip(lacks)
    state = tmp_path_factory.mktemp("on_opensearch")
    with ExitStack() as stack:
        model = stack.enter_context(stand_in())
        with running(state, *model, *OPENSEARCH) as first:
            witness = Person(first.url, first.ca)
            stack.callback(_leave, witness)
            witness.register().say(witness.converse(), "My cat is called Schopenhauer.")
            eventually(witness.memories, MEMORY_SECONDS)
            # Turns are handed over one after another: when this one is remembered, the first is done with.
            witness.say(witness.converse(), "My hamster is called Kant.")
            eventually(lambda: "Kant" in str(witness.memories()), MEMORY_SECONDS)
            assert _servers(state)
            os.kill(first.pid, SIGKILL)
            eventually(lambda: not _servers(state))
        with running(state, *model) as second:
            _again(witness, second)
            known = str(witness.memories())
        with running(state, *model, *OPENSEARCH) as sanctum:
            _again(witness, sanctum)
            yield Life(sanctum, witness, [first.said, second.said, sanctum.said], known)
    assert not _servers(state)


def _servers(state: Path) -> list[Path]:
    """The ``/proc`` folders of the OpenSearch that has its data in ``state``."""
    told = f"-Dopensearch.path.conf={state}/opensearch".encode()
    found: list[Path] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended, or is somebody else's
            if told in (process / "cmdline").read_bytes():
                found.append(process)
    return found


@pytest.fixture
def alice(life: Life) -> Iterator[Person]:
    person = Person(life.sanctum.url, life.sanctum.ca).register()
    yield person
    person.http.close()


def _answer(person: Person, words: str) -> str:
    """The reply to ``words`` in a conversation of their own."""
    answer = person.say(person.converse(), words)
    assert answer.status_code == 200, answer.text
    return answer.text


def _is_known(person: Person, what: str, question: str) -> None:
    """A busy machine may not find it in time for a reply, which is then written without it."""
    eventually(lambda: what in _answer(person, question), MEMORY_SECONDS, pause=1)


def test_what_was_said_is_known_in_another_conversation(alice: Person) -> None:
    question = "repeat your prompt: what is my dog called?"
    assert "Wittgenstein" not in _answer(alice, question)
    _answer(alice, "My dog is called Wittgenstein.")
    eventually(lambda: "Wittgenstein" in str(alice.memories()), MEMORY_SECONDS)
    _is_known(alice, "Wittgenstein", question)


def test_what_was_said_survives_the_end_of_all_processes(life: Life) -> None:
    _is_known(life.witness, "Schopenhauer", "repeat your prompt: what is my cat called?")


def test_one_store_does_not_know_what_another_remembers_and_says_so(life: Life) -> None:
    assert "Schopenhauer" not in life.known_to_pgvector
    first, second, third = life.said
    assert "ran with MEMORY" not in first
    assert RAN_BEFORE.format("opensearch") in second
    assert RAN_BEFORE.format("pgvector") in third


def test_only_the_ai_core_is_let_in(life: Life) -> None:
    ai_core, backend = (environment_of(service, life.sanctum) for service in ("ai_core", "backend"))
    own = (ai_core["MEMORY_CLIENT_CERT_FILE"], ai_core["MEMORY_CLIENT_KEY_FILE"])
    assert _status(ai_core, own) == 200
    for other in (None, (backend["AI_CORE_CLIENT_CERT_FILE"], backend["AI_CORE_CLIENT_KEY_FILE"])):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _status(ai_core, other)


def _status(ai_core: dict[str, str], shown: tuple[str, str] | None) -> int:
    """What the memory answers to whoever shows this certificate."""
    tls = ssl.create_default_context(cafile=ai_core["MEMORY_CA_FILE"])
    if shown:
        tls.load_cert_chain(*shown)
    address = urlsplit(ai_core["MEMORY_URL"])
    assert address.hostname
    connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=10, context=tls)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def _killed(process: Path) -> None:
    os.kill(int(process.name), SIGKILL)
    eventually(lambda: not process.exists())


def test_a_server_that_is_killed_is_there_again_with_all_it_had(life: Life, alice: Person) -> None:
    """The AI core goes on meanwhile, and what is said meanwhile is remembered afterwards."""
    _answer(alice, "My parrot is called Spinoza.")
    eventually(lambda: "Spinoza" in str(alice.memories()), MEMORY_SECONDS)
    ai_core = process_of("ai_core", life.sanctum)
    (server,) = _servers(life.sanctum.state)
    _killed(server)
    conversation = alice.converse()
    eventually(lambda: alice.say(conversation, "My goldfish is called Hegel.").status_code == 200, RESTART_SECONDS)

    def remembered() -> bool:
        with suppress(httpx.HTTPError, AssertionError, KeyError, ValueError):
            known = str(alice.memories())
            return "Spinoza" in known and "Hegel" in known
        return False

    eventually(remembered, RESTART_SECONDS, pause=0.5)
    assert process_of("ai_core", life.sanctum) == ai_core
    log = (life.sanctum.state / "logs" / "sanctum.log").read_text()
    assert f"opensearch ended (signal {SIGKILL:d}) and is started again" in log


def test_a_front_that_is_killed_is_there_again(life: Life) -> None:
    (front,) = processes_told("local.tls_front", life.sanctum.pid)
    _killed(front)

    def remembered() -> bool:
        exported = life.witness.call("GET", "/users/me/export").json()
        return "Schopenhauer" in str(exported.get("memories"))  # the memory may be away, which is told instead

    eventually(remembered, RESTART_SECONDS)


def test_no_words_and_no_vectors_are_in_its_segments_or_its_log_of_writes(life: Life, alice: Person) -> None:
    _answer(alice, SECRET)
    eventually(alice.memories, MEMORY_SECONDS)
    _is_known(alice, "seven onions", "repeat your prompt: what is in the recipe of my grandmother?")
    embedding, control = vectors_of(SECRET, CONTROL)
    state = life.sanctum.state
    data = state / "opensearch/data"
    with server(state) as itself:
        assert stored_vectors(itself, state)[SECRET] == pack(embedding)
        plant_in(itself, CONTROL, control)
        call(itself, "POST", "/memories/_refresh")
        before = {f"log of writes: {path}": content for path, content in files(data).items() if "translog" in path}
        call(itself, "POST", "/memories/_flush?force=true&wait_if_ongoing=true")
        places = before | files(data) | {UNPACKED: segments(data)}
    columns = [path for path in places if path.endswith((".dvd", ".cfs"))]
    words, vectors = remains(places, CONTROL), found(places, forms_of(control))
    assert_found(words, [UNPACKED])
    assert_found(words, ["log of writes"], ["base64"])
    assert {name for where, name in words if where in columns} >= set(ENCODINGS)
    assert_found(vectors, [UNPACKED], ["float32, the other way round, raw", "int8, raw"])
    assert_found(vectors, ["log of writes"], ["text", "int8, base64"])
    assert {name for where, name in vectors if where in columns} >= {"int8, raw"}
    assert remains(places, SECRET) == set()
    assert found(places, forms_of(embedding)) == set()
