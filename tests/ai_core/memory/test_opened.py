"""What is kept of opened vectors: bounded, for who has the key, and never older than what this process did."""

import asyncio
import os
import weakref
from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory import opened
from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.opened import SECONDS, OpenedVectors
from ai_core.memory.vectors import Vectors, collect, pack
from chassis.sealing.cells import PersonKey

pytestmark = pytest.mark.anyio


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def vectors(count: int = 1) -> Vectors:
    vector = np.full(DIMENSIONS, DIMENSIONS**-0.5, dtype=np.float32)
    return collect([uuid4() for _ in range(count)], [pack(vector)] * count)


def key_of(user_id: UUID) -> PersonKey:
    return PersonKey(user_id, os.urandom(32))


def keep(known: OpenedVectors, key: PersonKey, user_id: UUID, fetched: Vectors) -> None:
    with known.fetching(key, user_id) as kept:
        kept(fetched)


async def test_who_brings_the_key_finds_what_was_opened_with_it() -> None:
    known, user, fetched = OpenedVectors(), uuid4(), vectors()
    key = key_of(user)
    keep(known, key, user, fetched)
    assert known.get(key, user) is fetched
    assert known.get(key_of(user), user) is None
    assert known.get(key, uuid4()) is None


async def test_their_time_ends_however_often_they_are_used_and_added_to() -> None:
    clock, user = Clock(), uuid4()
    known, key = OpenedVectors(clock), key_of(user)
    keep(known, key, user, vectors())
    for clock.now in (SECONDS / 2, SECONDS - 0.1):
        known.add(user, vectors())
        assert known.get(key, user)
    found = known.get(key, user)
    assert found is not None
    assert len(found.ids) == 3
    clock.now = SECONDS
    assert known.get(key, user) is None


async def test_they_are_given_up_when_their_time_ends_though_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "SECONDS", 0.05)
    user = uuid4()
    known, given_up = OpenedVectors(), asyncio.Event()
    fetched = vectors()
    keep(known, key_of(user), user, fetched)
    watched = weakref.ref(fetched.packed, lambda _: given_up.set())
    del fetched
    assert watched() is not None
    await asyncio.wait_for(given_up.wait(), 10)


async def test_they_take_no_more_than_their_share_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_BYTES", 25_000)
    known, people = OpenedVectors(), [uuid4() for _ in range(3)]
    keys = [key_of(user) for user in people]
    for user, key in zip(people, keys, strict=True):
        keep(known, key, user, vectors(20))
    found = [known.get(key, user) is not None for user, key in zip(people, keys, strict=True)]
    assert found == [False, True, True]
    keep(known, keys[0], people[0], vectors(60))
    assert known.get(keys[0], people[0]) is None


@pytest.mark.parametrize("what", ["add", "forget"])
async def test_what_was_fetched_before_something_changed_is_not_kept(what: str) -> None:
    known, user = OpenedVectors(), uuid4()
    key = key_of(user)
    with known.fetching(key, user) as kept:
        if what == "add":
            known.add(user, vectors())
        else:
            known.forget(user)
        kept(vectors())
    assert known.get(key, user) is None


async def test_a_fetch_that_fails_leaves_nothing_behind() -> None:
    known, user = OpenedVectors(), uuid4()
    key = key_of(user)
    with pytest.raises(ConnectionError), known.fetching(key, user):
        raise ConnectionError
    assert known.get(key, user) is None
    keep(known, key, user, vectors())
    assert known.get(key, user)


async def test_of_who_was_forgotten_nothing_is_known() -> None:
    known, user = OpenedVectors(), uuid4()
    key = key_of(user)
    keep(known, key, user, vectors())
    known.forget(user)
    assert known.get(key, user) is None
    known.add(user, vectors())
    assert known.get(key, user) is None
