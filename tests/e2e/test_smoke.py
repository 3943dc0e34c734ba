"""``make smoke`` against the running system: what is said when it is well, hurt or away, and that nobody is left."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.front import Front, Passing, PassOn, Seen
from tests.support.inside import process_of, server_of
from tests.support.person import Person
from tests.support.running import ROOT, Sanctum
from tests.support.waiting import eventually

Smoke = Callable[..., subprocess.Popen[str]]
SECONDS = 120


@pytest.fixture
def smoke(sanctum: Sanctum, tmp_path: Path) -> Iterator[Smoke]:
    """Starts the program; afterwards nobody is left."""
    started = list[subprocess.Popen[str]]()

    def run(url: str, ca: Path | None, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.smoke", url, *(("--ca", str(ca)) if ca else ())]
        command += ["--notes", str(tmp_path / "notes"), "--settle", "0", *options]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
    assert accounts(sanctum) == 0


def accounts(sanctum: Sanctum) -> int:
    """How many synthetic people have an account."""
    counted = "SELECT count(*) FROM users WHERE email LIKE 'smoke+%'"
    return int(server_of(sanctum.state).query(counted, PGDATABASE="users"))


def said(process: subprocess.Popen[str]) -> str:
    """All that it says, to its end."""
    return process.communicate(timeout=SECONDS)[0]


@pytest.fixture(scope="module")
def hanging(sanctum: Sanctum, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Where no message is ever answered."""

    async def change(request: Passing, pass_on: PassOn) -> Seen:
        if request.path.endswith("/messages"):
            await asyncio.Event().wait()
        return await pass_on(request)

    with Front(sanctum, tmp_path_factory.mktemp("front")) as front:
        front.change = change
        yield front


def until_it_hangs(process: subprocess.Popen[str]) -> str:
    """What it says before it waits for the reply."""
    assert process.stdout
    lines = list[str]()
    for line in process.stdout:
        lines.append(line)
        if re.match(r"ok +conversation ", line):
            break
    return "".join(lines)


def test_a_life_is_told_step_by_step(smoke: Smoke, sanctum: Sanctum) -> None:
    process = smoke(sanctum.url, sanctum.ca)
    lines = said(process).splitlines()
    assert process.returncode == 0, lines
    assert len([line for line in lines if re.match(r"ok +[a-z ]+ \d+\.\d\d s  \S", line)]) == len(lines[1:-1])
    assert lines[-1].startswith("All went well after ")


def test_an_authority_that_nobody_knows_is_named(smoke: Smoke, sanctum: Sanctum) -> None:
    process = smoke(sanctum.url, None)
    text = said(process)
    assert process.returncode == 1
    assert re.search(r"^FAILED +health .* the certificate of localhost:\d+ is not good: ", text, re.MULTILINE)
    assert "--ca FILE" in text


def test_an_address_where_nobody_answers_is_named(smoke: Smoke, sanctum: Sanctum, tmp_path: Path) -> None:
    process = smoke("https://localhost:1", sanctum.ca)
    text = said(process)
    assert process.returncode == 1
    assert "localhost:1 refuses connections: nobody listens there" in text
    assert not (tmp_path / "notes").exists()


def test_a_place_for_notes_that_is_none_is_named(smoke: Smoke, sanctum: Sanctum, tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    process = smoke(sanctum.url, sanctum.ca)
    assert re.search(r"^FAILED +register .* on this machine: .*: /.*/notes", said(process), re.MULTILINE)
    assert process.returncode == 1


@pytest.mark.parametrize("url", ["http://localhost", "localhost:8443", "https://localhost/api/v1", "https://"])
def test_what_is_no_address_is_said(smoke: Smoke, sanctum: Sanctum, url: str) -> None:
    process = smoke(url, sanctum.ca)
    assert "is no https://host[:port]" in said(process)
    assert process.returncode == 2


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGTERM],
        [signal.SIGINT],
        [signal.SIGHUP],
        [signal.SIGTERM, signal.SIGTERM],  # by a build service that is in a hurry
    ],
)
def test_who_stops_it_leaves_nobody(smoke: Smoke, hanging: Front, numbers: list[signal.Signals]) -> None:
    process = smoke(hanging.url, hanging.ca)
    until_it_hangs(process)
    for number in numbers:
        process.send_signal(number)
    text = said(process)
    assert process.returncode == 1
    assert f"stopped by {numbers[0].name}" in text
    assert "erased: all 1 who were left" in text


def test_who_kills_it_leaves_somebody_to_the_next_run(smoke: Smoke, hanging: Front, sanctum: Sanctum) -> None:
    process = smoke(hanging.url, hanging.ca)
    until_it_hangs(process)
    process.kill()
    process.wait()
    assert accounts(sanctum) == 1
    following = smoke(hanging.url, hanging.ca)
    assert re.search(r"^ok +left behind .* 1 of earlier runs erased$", until_it_hangs(following), re.MULTILINE)
    following.terminate()
    said(following)


@contextmanager
def without_ai_core(sanctum: Sanctum) -> Generator[None]:
    """It dies, and who takes its place does not get as far as listening."""

    def stopped_again() -> int | None:
        with suppress(LookupError):
            process = int(process_of("ai_core", sanctum).name)
            if process != first:
                os.kill(process, signal.SIGSTOP)
                return process
        return None

    first = int(process_of("ai_core", sanctum).name)
    os.kill(first, signal.SIGKILL)
    second = eventually(stopped_again, pause=0.01)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(second, signal.SIGCONT)
        person = Person(sanctum.url, sanctum.ca).register()
        talk = person.converse()
        eventually(lambda: person.say(talk, "Are you there again?").status_code == 200, 60, 0.5)
        person.http.close()


def test_an_ai_core_that_is_away_is_said_at_the_reply_and_everybody_is_erased(smoke: Smoke, sanctum: Sanctum) -> None:
    with without_ai_core(sanctum):
        process = smoke(sanctum.url, sanctum.ca)
        text = said(process)
        assert process.returncode == 1
        assert re.search(
            r"^FAILED +reply .* 503, problem about:blank \(Service Unavailable\), request [\w-]+$", text, re.MULTILINE
        )
        assert "Look at: whether ai_core runs" in text
        assert "erased: all 1 who were left" in text
        assert accounts(sanctum) == 0
