"""What replies that are being streamed cost while nothing comes: memory, and whether others are still answered."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from chassis.descriptors import raise_limit

from tests.backend.ai_core_stand_in import Script
from tests.backend.process import Backend
from tests.benchmarks.backend_alone import backend_alone
from tests.support.inside import resident_bytes
from tests.support.person import API, Person

COUNTS = (0, 100, 1000)
PEOPLE = 20
OPENING = 20
"""How many are opened at a time."""


@dataclass(frozen=True)
class Measured:
    """Memory of the backend and PostgreSQL at ``streams`` open streams, and how long one more request took."""

    streams: int
    megabytes: float
    next_milliseconds: float


def _children_megabytes() -> float:
    """Of what this process has started: everything but the clients and the AI core's stand-in."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return sum(resident_bytes(int(child)) for child in children) / 1e6


@asynccontextmanager
async def _client(backend: Backend) -> AsyncGenerator[aiohttp.ClientSession]:
    tls = ssl.create_default_context(cafile=backend.ca)
    limits = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=0), timeout=limits) as client:
        yield client


async def _measure(backend: Backend, people: list[tuple[str, dict[str, str]]]) -> list[Measured]:
    """``people`` are each a path of a conversation's messages and the headers of whoever it belongs to."""
    measured: list[Measured] = []
    async with _client(backend) as client, AsyncExitStack() as open_streams:
        opening = asyncio.Semaphore(OPENING)

        async def open_one(number: int) -> None:
            path, headers = people[number % len(people)]
            async with opening:
                post = client.post(
                    backend.url + path, json={"content": "tell me"}, headers={**headers, "Accept": "text/event-stream"}
                )
                answer = await open_streams.enter_async_context(post)
                assert answer.status == 200, await answer.text()
                assert b"delta" in await answer.content.readline()

        opened = 0
        for count in COUNTS:
            await asyncio.gather(*(open_one(number) for number in range(opened, count)))
            opened = count
            begun = time.monotonic()
            async with client.get(f"{backend.url}{API}/conversations", headers=people[0][1]) as answer:
                assert answer.status == 200
                await answer.read()
            milliseconds = (time.monotonic() - begun) * 1000
            measured.append(Measured(count, _children_megabytes(), milliseconds))
    return measured


def streams() -> list[Measured]:
    """Open streams whose model says a word and then nothing, and measure at each of ``COUNTS``."""
    with backend_alone({"self.drain_seconds": "1"}) as (backend, ai_core):
        raise_limit()  # after the backend has started, which is to do so itself
        ai_core.script = Script(pieces=("One ",), end="hang")
        people: list[tuple[str, dict[str, str]]] = []
        for _ in range(PEOPLE):
            person = Person(backend.url, backend.ca).register()
            headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
            people.append((f"{API}/conversations/{person.converse()}/messages", headers))
            person.http.close()
        return asyncio.run(_measure(backend, people))
