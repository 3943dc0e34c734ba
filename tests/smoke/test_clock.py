"""Whatever a run is doing, it ends when its time is over and when somebody stops it."""

import os
import signal
import time
from contextlib import suppress

import pytest

from tests.smoke.clock import Clock, Interrupted, TimeIsOver


def _lose_it(clock: Clock, number: signal.Signals, seconds: float) -> None:
    """Let the first end in a block be lost, as in a finalizer, and wait."""
    with clock.hearing(), clock.bounded(seconds, stoppable=True):
        with suppress(Interrupted):
            if number != signal.SIGALRM:
                os.kill(os.getpid(), number)
            time.sleep(5)
        time.sleep(8)


@pytest.mark.parametrize(
    ("number", "seconds", "why"), [(signal.SIGTERM, 30, "stopped by SIGTERM"), (signal.SIGALRM, 0.01, "over")]
)
def test_an_end_that_was_lost_on_the_way_comes_again(number: signal.Signals, seconds: float, why: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Interrupted, match=why):
        _lose_it(Clock(lambda _: None), number, seconds)
    assert time.monotonic() - begun < 8
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_the_time_of_a_block_is_over_for_that_block_alone() -> None:
    clock = Clock(lambda _: None)
    with clock.hearing():
        with pytest.raises(TimeIsOver), clock.bounded(0.01, stoppable=True):
            time.sleep(5)
        with clock.bounded(5, stoppable=False):
            assert clock.left > 4
