"""People who use what is deployed while something happens to it, and what they were told."""

import asyncio
import itertools
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.failure import Failure
from rehearsal import deployed
from rehearsal.world import World
from tests.rolling.clients import SLOWLY, Client, Told

PEOPLE = 16
PAUSE_SECONDS = 0.4
"""Between two requests of a person: together they make more than ``LEAST_PER_SECOND``."""
TALK = 1200
"""Every so many requests one is a message, and one a message whose reply is followed: the model has one processor."""
FOLLOWERS = 3
"""People who follow one long reply after the other while tasks are being replaced, so that some are in flight at any
moment."""
APART_SECONDS = 8
"""Between the beginnings of two of them: the model has few places, and their replies are not to end together."""
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


class Follower(Client):
    """Somebody who has long replies streamed; ``followed`` gets each that came to its end."""

    def __init__(self, url: str, ca: Path, told: Told, followed: list[str]) -> None:
        super().__init__(url, ca, told)
        self._followed = followed

    async def follow(self, enough: threading.Event, after: float = 0) -> None:
        """One reply after the other, each in a conversation of its own, since the model is slow at long ones.

        Args:
            enough: Set when no other is to begin.
            after: How many seconds to wait with the first.
        """
        await asyncio.sleep(after)
        while not enough.is_set():
            await self.note(self._follow_one())
            await asyncio.sleep(PAUSE_SECONDS)

    async def _follow_one(self) -> None:
        made = await self._call("POST", "/conversations", 201, json={"persona": "Gem"})
        self._conversation = f"/conversations/{made['conversation_id']}"
        await self.stream(f"Tell me about careers at sea, {SLOWLY}")

    def _keep(self, reply: dict[str, Any]) -> None:
        super()._keep(reply)
        self._followed.append(reply["content"])


class Using:
    """What people did and were told; ``seconds`` is how long they were at it."""

    def __init__(self) -> None:
        self.told = Told()
        self.followed: list[str] = []
        """Replies that followers were streamed to the end."""
        self.enough_followed = threading.Event()
        """Set it when those that are being streamed are the last."""
        self.seconds = 0.0

    def __str__(self) -> str:
        told = self.told
        rate = told.answered / self.seconds
        return (
            f"{told.answered} requests ({rate:.0f} a second), {told.streams} streams followed to the end, "
            f"{len(told.failures)} failed"
        )


@contextmanager
def using(world: World, followers: int = 0) -> Generator[Using]:
    """People use it until the block is left; ``followers`` more follow long replies while tasks are being replaced.

    Raises:
        Failure: they cannot begin, or one of their requests failed, or they made too few.
    """
    seen, enough = Using(), threading.Event()
    began = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_use(world, seen, began, enough, followers)))
    thread.start()
    began.wait()
    start = time.monotonic()
    try:
        yield seen
    finally:
        seen.seconds = time.monotonic() - start
        seen.enough_followed.set()
        enough.set()
        thread.join()
    if seen.told.failures:
        raise Failure(f"{seen}; the first: {seen.told.failures[:3]}")
    if seen.told.answered < LEAST_PER_SECOND * seen.seconds:
        raise Failure(f"{seen}: too few to tell")


async def _use(world: World, seen: Using, began: threading.Event, enough: threading.Event, followers: int) -> None:
    people = [Visitor(world.url, world.ca, seen.told) for _ in range(PEOPLE)]
    following = [Follower(world.url, world.ca, seen.told, seen.followed) for _ in range(followers)]
    over = asyncio.Event()

    async def end() -> None:
        await asyncio.to_thread(enough.wait)
        over.set()

    async def follow() -> None:
        await asyncio.to_thread(_until_replacing, seen.enough_followed)
        await asyncio.gather(
            *(person.follow(seen.enough_followed, APART_SECONDS * number) for number, person in enumerate(following))
        )

    try:
        try:
            await asyncio.gather(*(person.register() for person in [*people, *following]))
        except AssertionError as error:
            seen.told.failures.append(f"registering: {error}")
            return
        finally:
            began.set()
        await asyncio.gather(
            end(),
            *(person.use(over, TALK * number // PEOPLE) for number, person in enumerate(people)),
            *([follow()] if following else []),
        )
    finally:
        for person in [*people, *following]:
            await person.close()


def _until_replacing(enough: threading.Event) -> None:
    """Until tasks are being replaced, or it is enough."""
    while not enough.wait(1) and not deployed.replacing():
        pass


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
