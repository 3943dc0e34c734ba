"""Hashing is bounded, addresses take turns at it, and it gives way to everything else."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from backend.auth import passwords as module
from backend.auth.passwords import AT_ONCE_SECONDS, MOST_WAITING_PER_ADDRESS, NICENESS, SHARE, Passwords, Shares
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


def test_an_address_has_some_time_at_once_and_then_its_share() -> None:
    shares = Shares()
    for _ in range(AT_ONCE_SECONDS):
        assert shares.wait(FLOOD, 100) == 0
        shares.had(FLOOD, 1, 100)
    shares.had(FLOOD, 0.5, 100)
    assert shares.wait(FLOOD, 100) == pytest.approx(0.5 / SHARE)
    assert shares.wait(FLOOD, 101) == pytest.approx(0.5 / SHARE - 1)
    assert shares.wait(OTHER, 100) == 0
    assert shares.wait(FLOOD, 1_000) == 0


async def test_who_hashes_without_end_leaves_the_thread_idle_meanwhile(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_SECONDS", 0)
    begun = time.monotonic()
    hashes = [await passwords.hash("long enough", FLOOD) for _ in range(4)]
    elapsed = time.monotonic() - begun
    cost = min(_seconds_of_a_hash() for _ in range(3))
    assert len(set(hashes)) == 4
    assert elapsed >= 3 * 0.8 * cost / SHARE  # the first waits for nothing; more is only a busy machine


def _seconds_of_a_hash() -> float:
    begun = time.thread_time()
    Passwords().close()
    return time.thread_time() - begun
