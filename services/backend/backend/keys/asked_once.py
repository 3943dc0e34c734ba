"""Answers that are known for a while; while one is on its way, everybody waits for the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from chassis.sealing.recent import Recent

K = TypeVar("K")
V = TypeVar("V")


class AskedOnce(Generic[K, V]):
    """What ``ask`` answers, and what it answered lately.

    Args:
        recent: Keeps the answers.
        ask: Its errors reach all who wait, and are not kept.
    """

    def __init__(self, recent: Recent[K, V], ask: Callable[[K], Awaitable[V]]) -> None:
        self._recent = recent
        self._ask = ask
        self._asking: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """The answer."""
        known = self._recent.get(key)
        if known is not None:
            return known
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._asked(key))
            asking.add_done_callback(_seen)
        return await asyncio.shield(asking)  # who gives up leaves the others their answer

    def forget(self, key: K) -> None:
        """Know the answer no more, nor keep the one that is on its way."""
        self._recent.forget(key)
        self._asking.pop(key, None)

    async def _asked(self, key: K) -> V:
        this = asyncio.current_task()
        try:
            answer = await self._ask(key)
            if self._asking.get(key) is this:
                self._recent.put(key, answer)
            return answer
        finally:
            if self._asking.get(key) is this:
                del self._asking[key]


def _seen(task: "asyncio.Task[object]") -> None:
    """Nobody may be left to be told of an error."""
    if not task.cancelled():
        task.exception()
