"""What the backend serves a CPU-second, as a share of what bare FastAPI endpoints with the same bodies serve.

CPU-seconds of the process rather than seconds: they do not depend on the client, nor on what else runs here. The
two take turns, and the figure is the median of the turns' ratios, as the speed of a machine drifts.
"""

import asyncio
import itertools
import socket
import ssl
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from local.ports import free_port
from tests.backend.process import Backend
from tests.benchmarks.backend_alone import MEASURED, OTHERS, on_core
from tests.support.inside import cpu_seconds
from tests.support.person import API, Person
from tests.support.running import ROOT
from tests.support.waiting import eventually

ROUNDS = 7
CONNECTIONS = 8
ROWS = 20
BARE, READS, MESSAGES = 4000, 1000, 400
"""Requests a round: about a CPU-second of each."""
MESSAGES_A_CONVERSATION = 10
SAID = {"content": "What should I say when they ask why I left?"}


@dataclass(frozen=True)
class Call:
    """One request of somebody's."""

    method: str
    url: str
    headers: dict[str, str]
    json: dict[str, Any] | None = None


@dataclass(frozen=True)
class Shares:
    """Requests a CPU-second over those of the bare endpoints, and CPU a request."""

    read: float
    message: float
    milliseconds_a_bare_read: float
    milliseconds_a_bare_message: float
    milliseconds_a_read: float
    milliseconds_a_message: float


@contextmanager
def bare(backend: Backend) -> Generator[tuple[str, Path]]:
    """The bare endpoints in a process like the backend's: its address, and its folder in ``/proc``."""
    port, leaf = free_port(), backend.certificates.server
    command = [sys.executable, "-m", "tests.benchmarks.bare", str(port), str(leaf.certificate), str(leaf.key)]
    with on_core(MEASURED):
        process = subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": "services/backend:services/chassis"})

    def answers() -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        eventually(answers)
        yield f"https://localhost:{port}", Path(f"/proc/{process.pid}")
    finally:
        process.terminate()
        process.wait()


async def milliseconds_a_call(process: Path, ca: Path, calls: list[Call]) -> float:
    """CPU of ``process`` for each of ``calls``, sent over connections that are kept."""
    waiting = iter(calls)
    tls = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca))
    async with aiohttp.ClientSession(connector=tls) as client:

        async def send() -> None:
            for call in waiting:
                async with client.request(call.method, call.url, headers=call.headers, json=call.json) as answer:
                    assert answer.status == 200, await answer.text()
                    await answer.read()

        before = cpu_seconds(process)
        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
        await asyncio.sleep(0.3)  # what the outbox still hands over belongs to the messages
        return (cpu_seconds(process) - before) / len(calls) * 1000


def people(backend: Backend) -> list[Person]:
    """One for each connection, with ``ROWS`` conversations."""
    made = [Person(backend.url, backend.ca).register() for _ in range(CONNECTIONS)]
    for person in made:
        for _ in range(ROWS):
            person.converse()
    return made


def _authorization(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.tokens['access_token']}"}


def reads(backend: Backend, everybody: list[Person]) -> list[Call]:
    """A round of reading one's conversations."""
    who = itertools.cycle(everybody)
    return [Call("GET", f"{backend.url}{API}/conversations", _authorization(next(who))) for _ in range(READS)]


def messages(backend: Backend, everybody: list[Person]) -> list[Call]:
    """A round of messages, in conversations that are as long as people's."""
    calls: list[Call] = []
    for person in itertools.cycle(everybody):
        if len(calls) >= MESSAGES:
            return calls
        url = f"{backend.url}{API}/conversations/{person.converse()}/messages"
        calls += [Call("POST", url, _authorization(person), SAID)] * MESSAGES_A_CONVERSATION
    return calls


def shares(backend: Backend) -> Shares:
    """Measure."""
    assert backend.process
    process = Path(f"/proc/{backend.process.pid}")
    readers, speakers = people(backend), people(backend)
    with on_core(OTHERS), bare(backend) as (url, bare_process):

        def measure(process: Path, calls: list[Call]) -> float:
            return asyncio.run(milliseconds_a_call(process, backend.ca, calls))

        bare_reads = [Call("GET", f"{url}/conversations", _authorization(readers[0]))] * BARE
        bare_messages = [Call("POST", f"{url}/messages", _authorization(readers[0]), SAID)] * BARE
        rounds = [
            (
                measure(bare_process, bare_reads),
                measure(bare_process, bare_messages),
                measure(process, reads(backend, readers)),
                measure(process, messages(backend, speakers)),
            )
            for _ in range(1 + ROUNDS)
        ][1:]  # the first warms up
    return Shares(
        statistics.median(bare_ms / read_ms for bare_ms, _, read_ms, _ in rounds),
        statistics.median(bare_ms / message_ms for _, bare_ms, _, message_ms in rounds),
        *(statistics.median(column) for column in zip(*rounds, strict=True)),
    )
