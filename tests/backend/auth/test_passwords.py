"""Hashing is bounded, addresses take turns at it, and it gives way to everything else."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import pytest
from backend.auth import passwords as module
from backend.auth.passwords import MOST_WAITING_PER_ADDRESS, NICENESS, Passwords
from chassis.problems import Problem

pytestmark = pytest.mark.anyio

FLOOD, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_who_comes_from_elsewhere_does_not_wait_for_a_flood(passwords: Passwords) -> None:
    done: list[str] = []

    async def verify(address: str) -> None:
        await passwords.verify("wrong", None, address)
        done.append(address)

    flood = [asyncio.create_task(verify(FLOOD)) for _ in range(4)]
    await asyncio.sleep(0)
    await verify(OTHER)
    assert done.count(FLOOD) <= 1  # the one that was being hashed already
    await asyncio.gather(*flood)


async def test_one_address_cannot_take_all_places(passwords: Passwords) -> None:
    flood = [asyncio.create_task(passwords.verify("wrong", None, FLOOD)) for _ in range(MOST_WAITING_PER_ADDRESS)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await passwords.hash("long enough", FLOOD)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "2"})
    assert not await passwords.verify("wrong", None, OTHER)
    for waiting in flood:
        waiting.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    assert not await passwords.verify("wrong", None, FLOOD)


async def test_hashing_leaves_a_processor_to_the_rest_and_gives_way(passwords: Passwords) -> None:
    assert max(1, (os.cpu_count() or 1) - 1) == module.THREADS

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    there = await asyncio.get_running_loop().run_in_executor(passwords._threads, niceness)  # pyright: ignore[reportPrivateUsage] - a thread's niceness cannot be seen from outside
    assert there == (NICENESS if sys.platform == "linux" else before)
    assert niceness() == before
