"""Replaces every instance of both services while people use them, and tells what these people saw."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from local.postgres import Postgres
from tests.rolling import system
from tests.rolling.clients import SLOWLY, Client, Told
from tests.rolling.instance import Instance
from tests.rolling.system import System
from tests.support.load_balancer import Line
from tests.support.waiting import eventually

PEOPLE = 6
STREAMS = 12
"""How many are opened before an instance is told to end: so many that one is its own, since instances take turns."""
UNANNOUNCED_SECONDS = 30
MEMORY_SECONDS = 60


@dataclass(frozen=True)
class Rollover:
    """What was seen from outside, what the load balancers saw, and which instances were replaced."""

    told: Told
    lines: list[Line]
    replaced: list[Instance]
    stored: list[str]
    """Ids of all messages in the user database."""
    remembered: list[str]
    """Ids of all messages in the memory."""
    failures_unannounced: int
    """How many requests failed when an instance ended and its load balancer was told of nothing."""

    def open_at(self, moment: float, instance: Instance) -> list[Line]:
        """What ``instance`` was answering then."""
        return [line for line in self.lines if line.target == instance.name and line.begun < moment < line.until]

    @property
    def failed_lines(self) -> list[Line]:
        """What the load balancers saw fail, also where somebody may have tried again."""
        return [line for line in self.lines if line.status >= 400 or line.ended != "--"]


async def roll_over(folder: Path, postgres: Postgres, *, scale: float, requests: int, pause: float) -> Rollover:
    """Roll both services over at the same time, again until enough requests were made.

    Args:
        folder: For files and logs.
        postgres: A server.
        scale: What the grace periods are multiplied by.
        requests: How many there are to be at least.
        pause: Between two requests of a person, in seconds.
    """
    async with system.running(folder, postgres, scale) as sanctum:
        told = Told()
        people = [Client(sanctum.url, sanctum.ca, told) for _ in range(PEOPLE)]
        try:
            await asyncio.gather(*(person.register() for person in people))
            await _use(sanctum, people, told, requests, pause)
            lines = [line for deployment in sanctum.deployments for line in deployment.balancer.log()]
            stored, remembered = await asyncio.to_thread(_kept, sanctum)
            control = Told()
            stranger = Client(sanctum.url, sanctum.ca, control)
            people.append(stranger)
            unannounced = await _end_unannounced(sanctum, stranger, control)
        finally:
            for person in people:
                await person.close()
        replaced = [instance for deployment in sanctum.deployments for instance in deployment.ended]
        return Rollover(told, lines, replaced, stored, remembered, unannounced)


async def _use(sanctum: System, people: list[Client], told: Told, requests: int, pause: float) -> None:
    """Let people use it until every instance was replaced and there were enough requests."""
    enough = asyncio.Event()

    async def stream(person: Client, begun: asyncio.Event) -> None:
        await person.note(person.stream(SLOWLY, begun))
        begun.set()  # it may have failed before

    async def open_streams(_: Instance) -> None:
        begun = [asyncio.Event() for _ in range(STREAMS)]
        for number, event in enumerate(begun):
            tasks.create_task(stream(people[number % PEOPLE], event))
        for event in begun:
            await event.wait()

    async with asyncio.TaskGroup() as tasks:
        for person in people:
            tasks.create_task(person.go_on(enough, pause))
        while told.answered < requests:
            await asyncio.gather(*(deployment.replace_all(open_streams) for deployment in sanctum.deployments))
        enough.set()


async def _end_unannounced(sanctum: System, person: Client, told: Told) -> int:
    """How many requests fail when an instance ends and its load balancer is told nothing."""
    sanctum.backend.running[0].terminate()
    async with asyncio.timeout(UNANNOUNCED_SECONDS):
        while not told.failures:
            await person.note(person.read())
            await asyncio.sleep(0.05)
    return len(told.failures)


def _kept(sanctum: System) -> tuple[list[str], list[str]]:
    """Ids of all messages in the user database and in the memory, when everything is handed over."""

    def ask(store: str, statement: str) -> list[str]:
        return sanctum.postgres.query(statement, PGDATABASE=sanctum.databases[store]).split()

    eventually(lambda: ask("users", "SELECT count(*) FROM outbox") == ["0"], MEMORY_SECONDS, pause=0.5)
    return ask("users", "SELECT message_id FROM messages"), ask("memory", "SELECT message_id FROM memories")
