"""How many deliveries of the outbox are under way at once: many while they succeed, few while they do not."""

import asyncio

MOST = 32
"""A turn is remembered when searches find it, a second or two later: so many are what hands over 20 turns a second."""
LEAST = 4
"""What asks a memory that is away whether it is back."""


class Window:
    """Grows by one with each delivery that succeeds and halves with each that does not, as TCP does (RFC 5681): what
    is away is asked little, what is back is soon given all, and what is overloaded gets what it can take."""

    def __init__(self) -> None:
        self._size = MOST
        self._under_way = 0
        self._ended = asyncio.Event()

    @property
    def least(self) -> bool:
        """Whether it is as small as it gets: hardly anything succeeds."""
        return self._size == LEAST

    @property
    def room(self) -> int:
        """How many more may begin."""
        return max(0, self._size - self._under_way)

    def begin(self, number: int) -> None:
        """So many are under way now, room or not."""
        self._under_way += number

    def end(self, delivery: "asyncio.Task[bool | None]") -> None:
        """One has ended; neither an error nor ``None`` says anything of those to come."""
        self._under_way -= 1
        succeeded = None if delivery.cancelled() or delivery.exception() else delivery.result()
        if succeeded is not None:
            self._size = min(MOST, self._size + 1) if succeeded else max(LEAST, self._size // 2)
        self._ended.set()

    async def wait_for_room(self, wanted: int) -> None:
        """Return when ``wanted`` more may begin, or all that ever may."""
        while self.room < min(wanted, self._size):
            self._ended.clear()
            await self._ended.wait()
