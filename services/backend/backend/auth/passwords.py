"""Passwords as Argon2id hashes, computed in few threads so that a rush of sign-ins cannot stop the rest."""

import asyncio
import os
import sys
import threading
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from chassis.problems import Problem
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

T = TypeVar("T")

KIB, PASSES, LANES = 19_456, 2, 1
"""What a hash costs (OWASP password storage cheat sheet)."""
THREADS = max(1, (os.cpu_count() or 1) - 1)
"""A hash keeps a processor to itself; one is left to everything else."""
NICENESS = 10
"""Where processors are few after all, hashes are what waits."""
MOST_WAITING = 64
"""A hash takes some 30 ms of a processor: who would come after these would wait a second or more."""
MOST_WAITING_PER_ADDRESS = 32
"""So that one address cannot take all places."""


SHARE = 1 / 3
"""Of a thread's time that one address has in the long run: two processors are often two halves of one, and what keeps
one of them busy slows the other down."""
AT_ONCE_SECONDS = 3
"""Of that time, which an address that was silent has at once: people who sign in after each other are not held up."""
SWEEP = 1_000
"""How many addresses are remembered before those who may have all of it again are forgotten."""


class _Line:
    """Those of one address who wait: one of them at a time is served, whatever their number."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0


class Shares:
    """How much of a thread's time each address has had of late."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        """When what each has had would have been used up at its share."""

    def wait(self, address: str, now: float) -> float:
        """In how many seconds it may have more."""
        return max(0.0, self._due.get(address, now) - now - AT_ONCE_SECONDS / SHARE)

    def had(self, address: str, seconds: float, now: float) -> None:
        """Count ``seconds`` of a thread's time."""
        self._due[address] = max(self._due.get(address, now), now) + seconds / SHARE
        if len(self._due) > SWEEP:
            self._due = {address: due for address, due in self._due.items() if due > now}


class Passwords:
    """Hashes and verifies, addresses taking turns. ``address`` is where a password came from."""

    def __init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=KIB, parallelism=LANES),))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_be_nice)
        self._waiting = 0
        self._lines: dict[str, _Line] = {}
        self._shares = Shares()
        self._nobodys = _nobodys()

    async def hash(self, password: str, address: str) -> str:
        """The salted hash to store.

        Raises:
            Problem: 429 when too many of this address wait already, 503 when too many of all do.
        """
        return await self._run(address, self._hasher.hash, password)

    async def verify(self, password: str, hashed: str | None, address: str) -> bool:
        """Whether ``hashed`` was made of ``password``; for ``None`` (no such account) as much work, and ``False``.

        Raises:
            Problem: as ``hash``.
        """
        right = await self._run(address, self._hasher.verify, password, hashed or self._nobodys)
        return right and hashed is not None

    async def _run(self, address: str, work: Callable[..., T], *arguments: str) -> T:
        loop = asyncio.get_running_loop()
        async with self._turn(address):
            await asyncio.sleep(self._shares.wait(address, loop.time()))
            result, seconds = await loop.run_in_executor(self._threads, _timed, work, *arguments)
            self._shares.had(address, seconds, loop.time())
            return result

    @asynccontextmanager
    async def _turn(self, address: str) -> AsyncGenerator[None]:
        line = self._lines.get(address) or _Line()
        if line.length >= MOST_WAITING_PER_ADDRESS:
            raise Problem(429, "Too many sign in from this address at this moment.", headers={"Retry-After": "2"})
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "Too many people sign in at this moment.", headers={"Retry-After": "2"})
        self._lines[address] = line
        line.length += 1
        self._waiting += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            self._waiting -= 1
            if not line.length:
                del self._lines[address]

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _nobodys() -> str:
    """A hash of no password that anybody knows, in the form of RFC 9106's reference code: chosen, not computed."""
    salt, digest = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={KIB},t={PASSES},p={LANES}${salt}${digest}"


def _timed(work: Callable[..., T], *arguments: str) -> tuple[T, float]:
    begun = time.thread_time()
    return work(*arguments), time.thread_time() - begun


def _be_nice() -> None:
    # Only Linux has a niceness a thread.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
