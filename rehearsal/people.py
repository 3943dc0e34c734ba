"""People who use what is deployed while something happens to it, and what they were told."""

import asyncio
import itertools
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from local.failure import Failure
from rehearsal.world import World
from tests.rolling.clients import Client, Told

PEOPLE = 16
PAUSE_SECONDS = 0.4
"""Between two requests of a person: together they make more than ``LEAST_PER_SECOND``."""
TALK = 1200
"""Every so many requests one is a message, and one a message whose reply is followed: the model has one processor."""
LEAST_PER_SECOND = 20
MEMORY_SECONDS = 120


class Visitor(Client):
    """Somebody who uses what the load balancer lets through."""

    async def use(self, over: asyncio.Event, first: int) -> None:
        """Look, talk and follow a reply by turns, until it is over; ``first`` is which turn it begins with."""
        for turn in itertools.count(first):
            if over.is_set():
                return
            if turn % TALK == 0:
                await self.note(self.say("What next?"))
            elif turn % TALK == TALK // 2:
                await self.note(self.stream("And then?"))
            elif turn % 2:
                await self.note(self.read())
            else:
                await self.note(self._call("GET", "/conversations", 200))
            await asyncio.sleep(PAUSE_SECONDS)


class Using:
    """What people did and were told; ``seconds`` is how long they were at it."""

    def __init__(self) -> None:
        self.told = Told()
        self.seconds = 0.0

    def __str__(self) -> str:
        told = self.told
        rate = told.answered / self.seconds
        return (
            f"{told.answered} requests ({rate:.0f} a second), {told.streams} streams followed to the end, "
            f"{len(told.failures)} failed"
        )


@contextmanager
def using(world: World) -> Generator[Using]:
    """People use it until the block is left.

    Raises:
        Failure: they cannot begin, or one of their requests failed, or they made too few.
    """
    seen, enough = Using(), threading.Event()
    began = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_use(world, seen, began, enough)))
    thread.start()
    began.wait()
    start = time.monotonic()
    try:
        yield seen
    finally:
        seen.seconds = time.monotonic() - start
        enough.set()
        thread.join()
    if seen.told.failures:
        raise Failure(f"{seen}; the first: {seen.told.failures[:3]}")
    if seen.told.answered < LEAST_PER_SECOND * seen.seconds:
        raise Failure(f"{seen}: too few to tell")


async def _use(world: World, seen: Using, began: threading.Event, enough: threading.Event) -> None:
    people = [Visitor(world.url, world.ca, seen.told) for _ in range(PEOPLE)]
    over = asyncio.Event()

    async def end() -> None:
        await asyncio.to_thread(enough.wait)
        over.set()

    try:
        try:
            await asyncio.gather(*(person.register() for person in people))
        except AssertionError as error:
            seen.told.failures.append(f"registering: {error}")
            return
        finally:
            began.set()
        await asyncio.gather(
            end(), *(person.use(over, TALK * number // PEOPLE) for number, person in enumerate(people))
        )
    finally:
        for person in people:
            await person.close()


def nothing_lost(world: World, seen: list[Using]) -> str:
    """Every message that somebody was answered is stored, and handed to the memory.

    Raises:
        Failure: one is not.
    """
    told = {message for one in seen for message in one.told.messages}
    stored = set(world.database.query("SELECT message_id FROM messages", PGDATABASE="users").split())
    if lost := told - stored:
        raise Failure(f"{len(lost)} of {len(told)} messages are lost")
    until = time.monotonic() + MEMORY_SECONDS
    while (left := world.database.query("SELECT count(*) FROM outbox", PGDATABASE="users")) != "0":
        if time.monotonic() > until:
            raise Failure(f"{left} turns did not reach the memory within {MEMORY_SECONDS} s")
        time.sleep(1)
    return f"all {len(told)} messages stored, all turns in the memory"
