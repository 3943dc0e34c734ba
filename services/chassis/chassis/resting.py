"""Leaves a database alone while nobody uses it, so that one which pauses without connections may do so.

Aurora pauses when there was no connection for five minutes and is back within 15 seconds of the next, or 30 after a
day (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from chassis.logs import log

_upkeep = ContextVar("upkeep", default=False)


class Resting:
    """Knows when a process last used its database for somebody. What it does there for its own sake is upkeep: that
    keeps no database awake and waits until somebody else has woken it.

    Args:
        quiet_seconds: So long nobody has to have used it before it is left alone.
    """

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._used_at = time.monotonic()
        self._awake = asyncio.Event()
        self._awake.set()
        self._upkeeps = 0

    def used(self) -> None:
        """A connection is about to be used; for whom, the context tells."""
        if not _upkeep.get():
            self._used_at = time.monotonic()
            self._awake.set()

    @property
    def quiet(self) -> bool:
        """Whether nobody has used it for a while."""
        return time.monotonic() - self._used_at >= self._quiet_seconds

    @asynccontextmanager
    async def upkeep(self) -> AsyncGenerator[None]:
        """Use the database for its own sake, as soon as it is awake."""
        await self._awake.wait()
        before = _upkeep.set(True)
        self._upkeeps += 1
        try:
            yield
        finally:
            self._upkeeps -= 1
            _upkeep.reset(before)

    async def rest(self, close: Callable[[], Awaitable[None]]) -> bool:
        """Leave the database alone until somebody uses it again, unless somebody just has or upkeep is under way.

        Args:
            close: Closes connections that are not in use.

        Returns:
            Whether it was left alone.
        """
        if self._upkeeps or not self.quiet:
            return False
        self._awake.clear()
        try:
            await close()
            log("database.left_alone")
            await self._awake.wait()
        finally:
            self._awake.set()
        log("database.wanted_again")
        return True
