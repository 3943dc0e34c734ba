"""A reply while it is being written: whoever asked may follow it, and it goes on when nobody does."""

import asyncio
from collections.abc import AsyncIterator

from chassis.problems import Problem

from backend.messages.schemas import Reply

SILENCE_SECONDS = 15
"""How long a follower waits before it is told that there is nothing new, so that connections stay open."""


class Writing:
    """The text so far and how it ended.

    Followers read at their own pace from the one text, so a slow one holds nothing up.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._outcome: Reply | Problem | None = None
        self._changed = asyncio.Event()

    @classmethod
    def done(cls, reply: Reply) -> "Writing":
        """A reply that was finished earlier."""
        writing = cls()
        writing.add(reply.content)
        writing.end(reply)
        return writing

    @property
    def text(self) -> str:
        """What has been written."""
        return "".join(self._pieces)

    @property
    def outcome(self) -> Reply | Problem | None:
        """The stored reply, or why there is none; ``None`` while it is being written."""
        return self._outcome

    def add(self, piece: str) -> None:
        """Go on with ``piece``."""
        self._pieces.append(piece)
        self._tell()

    def end(self, outcome: Reply | Problem) -> None:
        """Nothing more comes."""
        self._outcome = outcome
        self._tell()

    async def begun(self) -> None:
        """Return when there is something to show.

        Raises:
            Problem: it ended without a word.
        """
        while not self._pieces and self._outcome is None:
            await self._changed.wait()
        if not self._pieces and isinstance(self._outcome, Problem):
            raise self._outcome

    async def result(self) -> Reply:
        """The stored reply, when it is finished.

        Raises:
            Problem: there is none.
        """
        while self._outcome is None:
            await self._changed.wait()
        if isinstance(self._outcome, Problem):
            raise self._outcome
        return self._outcome

    async def follow(self) -> AsyncIterator[str]:
        """What is written, as it comes, from the beginning to the end; an empty string after a silence."""
        seen = 0
        while seen < len(self._pieces) or self._outcome is None:
            changed = self._changed
            if seen < len(self._pieces):
                piece = "".join(self._pieces[seen:])
                seen = len(self._pieces)
                yield piece
                continue
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield ""

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
