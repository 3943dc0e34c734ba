"""A sign-in that was just seen to live is not asked for again, for less than a second."""

from uuid import uuid4

import pytest
from backend.auth import living
from backend.auth.living import REMEMBERED_SECONDS, Living


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(living.time, "monotonic", lambda: now[0])
    return now


def test_it_is_known_for_less_than_the_second_in_which_a_token_ends(clock: list[float]) -> None:
    seen, sign_in = Living(), uuid4()
    assert not seen.knows(sign_in)
    seen.lived(sign_in, clock[0])
    assert seen.knows(sign_in)
    assert not seen.knows(uuid4())
    clock[0] += REMEMBERED_SECONDS
    assert not seen.knows(sign_in)
    assert REMEMBERED_SECONDS < 1


def test_time_counts_from_when_the_database_was_asked(clock: list[float]) -> None:
    seen, sign_in = Living(), uuid4()
    seen.lived(sign_in, clock[0] - REMEMBERED_SECONDS)
    assert not seen.knows(sign_in)


def test_what_this_process_ends_is_ended_at_once(clock: list[float]) -> None:
    seen, sign_in = Living(), uuid4()
    seen.lived(sign_in, clock[0])
    seen.forget()
    assert not seen.knows(sign_in)


def test_only_so_many_are_remembered(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(living, "MOST", 2)
    seen, sign_ins = Living(), [uuid4() for _ in range(3)]
    for sign_in in sign_ins:
        seen.lived(sign_in, clock[0])
    assert [seen.knows(sign_in) for sign_in in sign_ins] == [False, False, True]
