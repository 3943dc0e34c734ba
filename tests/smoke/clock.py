"""Time that ends for sure, and signals that end it earlier."""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By which people, shells and build services stop a program."""


AGAIN_SECONDS = 1
"""Raised once it may be lost: what a finalizer raises is (``object.__del__``), and one may be running just then."""


class Interrupted(Exception):
    """Somebody stopped the program, or its time is over."""


class TimeIsOver(Interrupted):
    """What was waited for did not come in time."""


class Clock:
    """Turns a deadline and the signals of ``ENDS`` into ``Interrupted``, wherever the main thread is just then.

    A timeout of a socket bounds each wait, not their number: a server that drips would never come to an end.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._end = 0.0
        self._bounded = self._stoppable = False
        self._stopped = ""

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - time.monotonic())

    @contextmanager
    def hearing(self) -> Generator[None]:
        """Have the signals come here; outside the blocks of ``bounded`` they do nothing."""
        before = {number: signal.signal(number, self._come) for number in (signal.SIGALRM, *ENDS)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def bounded(self, seconds: float, *, stoppable: bool) -> Generator[None]:
        """At most ``seconds``; with ``stoppable`` a signal ends the block, too.

        Raises:
            Interrupted: in the block, or just after it.
        """
        self._end = time.monotonic() + seconds
        self._bounded, self._stoppable, self._stopped = True, stoppable, ""
        try:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN_SECONDS)
            yield
        finally:
            self._bounded = self._stoppable = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _come(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGALRM:
            if self._bounded:
                raise Interrupted(self._stopped) if self._stopped else TimeIsOver("the time is over")
        elif self._stoppable:
            self._stoppable = False  # what follows is for cleaning up
            self._stopped = f"stopped by {signal.Signals(number).name}"
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
            raise Interrupted(self._stopped)
        else:
            self._say(f"{signal.Signals(number).name}: what is left is being erased, which ends in {self.left:.0f} s")
