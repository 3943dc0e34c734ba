"""The keys that people's memories are sealed with: unwrapped as a call brings them, known for minutes, kept nowhere.

The AI core has no store of keys. Whoever calls hands over the person's key as the key service wrapped it, and the key
service unwraps it for this person's memories alone.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from chassis.sealing.cells import PersonKey
from chassis.sealing.key_service import KeyService, context
from chassis.sealing.recent import Recent

THREADS = 8
"""Threads of their own: while the key service is slow, nothing else in the process waits for one."""


class MemoryKeys:
    """Unwraps people's keys; one for each process."""

    def __init__(self, service: KeyService) -> None:
        self._service = service
        self._recent: Recent[UUID, tuple[bytes, PersonKey]] = Recent()
        self._asked: dict[tuple[UUID, bytes], asyncio.Task[PersonKey]] = {}
        self._threads = ThreadPoolExecutor(THREADS, "keys")

    async def of(self, user_id: UUID, wrapped: bytes) -> PersonKey:
        """The key that ``wrapped`` holds. However many ask for it at the same time, the key service is asked once.

        Raises:
            CannotUnwrap: it is not a key for this person's memories.
            KeyServiceUnavailable: it cannot be unwrapped now.
        """
        known = self._recent.get(user_id)
        if known and known[0] == wrapped:
            return known[1]
        asked = self._asked.get((user_id, wrapped))
        if asked is None:
            asked = self._asked[user_id, wrapped] = asyncio.create_task(self._unwrap(user_id, wrapped))
            asked.add_done_callback(_seen)
        return await asyncio.shield(asked)  # who gives up leaves the others their answer

    def forget(self, user_id: UUID) -> None:
        """Know the person's key no more."""
        self._recent.forget(user_id)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _unwrap(self, user_id: UUID, wrapped: bytes) -> PersonKey:
        try:
            asking = self._service.unwrap, wrapped, context("memories", user_id)
            key = PersonKey(user_id, await asyncio.get_running_loop().run_in_executor(self._threads, *asking))
            self._recent.put(user_id, (wrapped, key))
            return key
        finally:
            del self._asked[user_id, wrapped]


def _seen(task: asyncio.Task[PersonKey]) -> None:
    """Nobody may be left to be told of an error."""
    if not task.cancelled():
        task.exception()
