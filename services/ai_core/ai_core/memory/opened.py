"""The vectors that were opened lately, so that not every question opens all of a person's again.

Bounded in bytes and in time: what another process stores meanwhile is found when a person's time is over. What was
forgotten there may still be among them, but words are always read from the store, which has none.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from cachetools import TLRUCache
from chassis.sealing.cells import PersonKey

from ai_core.memory.vectors import Vectors

SECONDS = 60
"""As long as opened vectors are kept, however often they are used."""
MOST_BYTES = 64 * 1024 * 1024
"""Of all people together: about 130,000 memories."""


@dataclass(frozen=True, slots=True)
class _Entry:
    vectors: Vectors
    key: bytes
    """Tells the key that opened them, and cannot be used as one: nobody finds them who does not bring it again."""
    until: float


class OpenedVectors:
    """The last opened vectors of people.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: TLRUCache[UUID, _Entry] = TLRUCache(
            MOST_BYTES, lambda _, entry, __: entry.until, clock, lambda entry: entry.vectors.nbytes
        )
        self._fetches: dict[UUID, object] = {}

    def get(self, key: PersonKey, user_id: UUID) -> Vectors | None:
        """The person's, where they are known still."""
        entry = self._known.get(user_id)
        return entry.vectors if entry and entry.key == _name(key) else None

    @contextmanager
    def fetching(self, key: PersonKey, user_id: UUID) -> Generator[Callable[[Vectors], None]]:
        """What is fetched in this block is known by what it is given to, unless it is out of date by then."""
        fetch = self._fetches[user_id] = object()

        def keep(vectors: Vectors) -> None:
            if self._fetches.get(user_id) is fetch:
                self._keep(user_id, _Entry(vectors, _name(key), self._clock() + SECONDS))

        try:
            yield keep
        finally:
            if self._fetches.get(user_id) is fetch:
                del self._fetches[user_id]

    def add(self, user_id: UUID, vectors: Vectors) -> None:
        """Know what was just stored beside what is known; not for longer than that."""
        self._fetches.pop(user_id, None)
        if entry := self._known.get(user_id):
            self._keep(user_id, replace(entry, vectors=entry.vectors.with_others(vectors)))

    def forget(self, user_id: UUID) -> None:
        """Know nothing of the person."""
        self._fetches.pop(user_id, None)
        self._known.pop(user_id, None)

    def _keep(self, user_id: UUID, entry: _Entry) -> None:
        self._known.pop(user_id, None)
        if entry.vectors.nbytes <= MOST_BYTES:
            self._known[user_id] = entry
            # Or they would stay until somebody else's are looked for.
            asyncio.get_running_loop().call_later(entry.until - self._clock(), self._known.expire)


def _name(key: PersonKey) -> bytes:
    return key.subkey("opened vectors")
