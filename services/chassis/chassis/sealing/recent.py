"""What was unwrapped lately, so that not every request asks the key service: bounded in number and in time."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import TTLCache

SECONDS = 300
"""As long as a person's key may still be in memory after they were erased."""
MOST = 10_000
"""People; a key and what it is kept with take about 1 KiB."""

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The things last used; an entry ends ``seconds`` after it was made, however often it is used.

    Args:
        most: How many.
        seconds: How long.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int = MOST, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: TTLCache[K, V] = TTLCache(most, seconds, clock)

    def get(self, key: K) -> V | None:
        """The thing, where it is known still."""
        return self._known.get(key)

    def put(self, key: K, value: V) -> None:
        """Know it from now on."""
        self._known[key] = value

    def forget(self, key: K) -> None:
        """Know it no more."""
        self._known.pop(key, None)
