"""How fast one person, or one address, is served: what comes faster waits, and what would wait too long is refused.

Kept in the memory of a process, as it guards that process's time: several processes serve several times as fast.
"""

import asyncio
import math
from collections.abc import Hashable

from chassis.problems import Problem

BURST_SECONDS = 10
"""Who was silent may send what these would allow at once: a page that loads asks several things, and whoever only
tries something out is never held up."""
LONGEST_WAIT_SECONDS = 5
REFUSAL_SECONDS = 1
"""A refusal is not answered sooner: who floods over a connection is held up by the answers that it waits for."""
SWEEP = 1_000
"""How many are remembered before those who may send a whole burst again are forgotten."""


class Pace:
    """So many requests a second for each (generic cell rate algorithm, ITU-T I.371)."""

    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second
        self._due: dict[Hashable, float] = {}
        """When what each has sent would have been served at an even pace."""
        self._sweep_at = SWEEP

    async def turn(self, who: Hashable) -> None:
        """Return when it is the turn of this request.

        Raises:
            Problem: 429 when that is too far off; ``Retry-After`` says when it is no longer.
        """
        try:
            wait = self.reserve(who, asyncio.get_running_loop().time())
        except Problem:
            await asyncio.sleep(REFUSAL_SECONDS)
            raise
        if wait > 0:
            await asyncio.sleep(wait)

    def reserve(self, who: Hashable, now: float) -> float:
        """In how many seconds this request, which came ``now``, has its turn.

        Raises:
            Problem: 429 as ``turn``.
        """
        due = max(self._due.get(who, now), now) + self._interval
        wait = due - now - BURST_SECONDS
        if wait > LONGEST_WAIT_SECONDS:
            headers = {"Retry-After": str(math.ceil(wait - LONGEST_WAIT_SECONDS))}
            raise Problem(429, "Too many requests at once.", headers=headers)
        self._due[who] = due
        if len(self._due) > self._sweep_at:
            self._due = {who: due for who, due in self._due.items() if due > now}
            self._sweep_at = max(SWEEP, 2 * len(self._due))
        return wait
