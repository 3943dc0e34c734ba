"""Who is served when; the time is given to it, so that nothing depends on the clock."""

import pytest
from backend.limits.pace import BURST_SECONDS, LONGEST_WAIT_SECONDS, SWEEP, Pace
from chassis.problems import Problem

RATE = 10


def refused(pace: Pace, who: str, now: float) -> int:
    """What ``Retry-After`` says."""
    with pytest.raises(Problem) as problem:
        pace.reserve(who, now)
    assert problem.value.status == 429
    return int(problem.value.headers["Retry-After"])


def test_a_burst_is_served_at_once_then_each_waits_its_turn_and_then_they_are_refused() -> None:
    pace = Pace(RATE)
    waits = [pace.reserve("alice", 0) for _ in range(RATE * (BURST_SECONDS + LONGEST_WAIT_SECONDS))]
    assert max(waits[: RATE * BURST_SECONDS]) <= 1e-6
    assert waits[RATE * BURST_SECONDS :] == pytest.approx([n / RATE for n in range(1, RATE * LONGEST_WAIT_SECONDS + 1)])
    assert refused(pace, "alice", 0) == 1
    assert pace.reserve("bob", 0) < 0


def test_who_was_refused_is_served_when_the_answer_said() -> None:
    pace = Pace(1)
    for _ in range(BURST_SECONDS + LONGEST_WAIT_SECONDS):
        pace.reserve("alice", 0)
    after = refused(pace, "alice", 0)
    assert refused(pace, "alice", 0) == after  # to be refused puts nothing off
    assert pace.reserve("alice", after) == LONGEST_WAIT_SECONDS


def test_an_even_pace_is_never_held_up() -> None:
    pace = Pace(RATE)
    assert all(pace.reserve("alice", n / RATE) <= 0 for n in range(1000))


def test_those_who_may_send_a_whole_burst_again_are_forgotten() -> None:
    pace = Pace(RATE)
    for n in range(5 * SWEEP):
        pace.reserve(n, n)
    assert len(pace._due) <= SWEEP + 1  # pyright: ignore[reportPrivateUsage] - memory cannot be seen from outside
