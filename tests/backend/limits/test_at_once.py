"""So many at the same time, for each person."""

from uuid import uuid4

import pytest
from backend.limits.at_once import AtOnce
from chassis.problems import Problem

ALICE, BOB = uuid4(), uuid4()


def test_one_more_than_may_be_is_refused_until_one_has_ended() -> None:
    at_once = AtOnce(2)
    for _ in range(2):
        at_once.begin(ALICE)
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            at_once.begin(ALICE)
        assert (refused.value.status, int(refused.value.headers["Retry-After"]) > 0) == (429, True)
    at_once.begin(BOB)
    at_once.end(ALICE)
    at_once.begin(ALICE)


def test_what_fails_has_ended_too() -> None:
    at_once = AtOnce(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), at_once.one(ALICE):
            raise ZeroDivisionError
    assert not at_once._running  # pyright: ignore[reportPrivateUsage] - memory cannot be seen from outside
