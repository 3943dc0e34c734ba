"""Passwords as Argon2id hashes, computed in a few threads so that a rush of sign-ins cannot stop the rest."""

import asyncio
import secrets
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from chassis.problems import Problem
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

THREADS = 2
MOST_WAITING = 64
"""A hash takes some 30 ms of a processor: who would come after these would wait a second or more."""


class Passwords:
    """Hashes and verifies. Cost: 19 MiB, 2 passes, 1 lane (OWASP password storage cheat sheet)."""

    def __init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The salted hash to store.

        Raises:
            Problem: 503 when too many wait already.
        """
        with self._turn():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether ``hashed`` was made of ``password``; for ``None`` (no such account) as much work, and ``False``.

        Raises:
            Problem: 503 when too many wait already.
        """
        with self._turn():
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._hasher.verify, password, hashed or self._nobodys
            )
        return right and hashed is not None

    @contextmanager
    def _turn(self) -> Generator[None]:
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "Too many people sign in at this moment.", headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
