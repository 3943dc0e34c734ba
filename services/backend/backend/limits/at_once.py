"""How much one person may have done at the same time by one process."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from chassis.problems import Problem


class AtOnce:
    """So many for each person; kept in the memory of a process, as it guards what that process has."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[UUID] = Counter()

    def begin(self, user_id: UUID) -> None:
        """One more; ``end`` has to follow.

        Raises:
            Problem: 429 when there are as many as may be.
        """
        if self._running[user_id] >= self._most:
            raise Problem(429, "Wait for what you have begun to end.", headers={"Retry-After": "2"})
        self._running[user_id] += 1

    def end(self, user_id: UUID) -> None:
        """One less."""
        self._running[user_id] -= 1
        if not self._running[user_id]:
            del self._running[user_id]

    @contextmanager
    def one(self, user_id: UUID) -> Generator[None]:
        """One more meanwhile.

        Raises:
            Problem: as ``begin``.
        """
        self.begin(user_id)
        try:
            yield
        finally:
            self.end(user_id)
