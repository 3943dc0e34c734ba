"""How much the outbox asks of the memory at once, and what it does first when that comes back."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import pytest
from backend import outbox
from backend.ai_core import AiCore
from backend.outbox import Outbox
from backend.outbox_window import LEAST, MOST, Window
from chassis.direct import Direct
from chassis.resting import Resting

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person
from tests.support.waiting import eventually

T = TypeVar("T")
MANY = 100
FORGET_MANY = f"INSERT INTO outbox (user_id) SELECT gen_random_uuid() FROM generate_series(1, {MANY})"  # noqa: S608


@pytest.fixture
def stopped(own_backend: Backend) -> Backend:
    """A database without a worker but the test's."""
    own_backend.stop()
    return own_backend


@asynccontextmanager
async def _worker(backend: Backend) -> AsyncGenerator[Outbox]:
    settings = backend.read_settings()
    direct, client = Direct(settings), AiCore(settings)
    await direct.open()
    yield Outbox(direct, backend.sealing(direct), client, Resting(300))
    await client.close()
    await direct.close()


@asynccontextmanager
async def _at_work(backend: Backend) -> AsyncGenerator[None]:
    async with _worker(backend) as worker:
        work = asyncio.create_task(worker.run())
        yield
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _soon(look: Callable[[], T]) -> T:
    return await asyncio.to_thread(eventually, look)


async def _ended(window: Window, *outcomes: bool | None) -> None:
    async def outcome(result: bool | None) -> bool | None:
        return result

    for result in outcomes:
        window.begin(1)
        delivery = asyncio.create_task(outcome(result))
        await delivery
        window.end(delivery)


def test_it_halves_with_each_failure_and_grows_by_one_with_each_success() -> None:
    async def run() -> None:
        window = Window()
        rooms = [window.room]
        for outcome in (False, False, True, None, True):
            await _ended(window, outcome)
            rooms.append(window.room)
        assert rooms == [MOST, MOST // 2, MOST // 4, MOST // 4 + 1, MOST // 4 + 1, MOST // 4 + 2]
        await _ended(window, *[False] * 10)
        assert (window.room, window.least) == (LEAST, True)
        await _ended(window, *[True] * 2 * MOST)
        assert (window.room, window.least) == (MOST, False)

    asyncio.run(run())


def test_who_asks_for_more_than_will_ever_be_free_is_not_kept_waiting() -> None:
    async def run() -> None:
        window = Window()
        await _ended(window, *[False] * 10)
        await asyncio.wait_for(window.wait_for_room(MOST), 5)
        window.begin(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(window.wait_for_room(MOST), 0.05)

    asyncio.run(run())


def test_so_many_are_under_way_and_one_that_is_slow_holds_up_no_other(stopped: Backend, ai_core: AiCoreStandIn) -> None:
    people = [str(uuid4()) for _ in range(MANY)]
    slow, others = threading.Event(), threading.Event()
    for person in people:
        ai_core.memory(person).hold = others
    ai_core.memory(people[0]).hold = slow

    async def run() -> None:
        stopped.sql("INSERT INTO outbox (user_id) SELECT unnest(:'people'::uuid[])", people=f"{{{','.join(people)}}}")
        async with _at_work(stopped):
            await _soon(lambda: len(ai_core.forgetting) == MOST)
            await asyncio.sleep(0.2)
            assert len(ai_core.forgetting) == MOST
            others.set()
            await _soon(lambda: all(ai_core.memory(person).forgotten for person in people[1:]))
            assert ai_core.forgetting == {people[0]}
            slow.set()
            await _soon(lambda: stopped.sql("SELECT count(*) FROM outbox") == "0")

    asyncio.run(run())


def test_a_memory_that_is_away_is_asked_little(
    stopped: Backend, ai_core: AiCoreStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        monkeypatch.setattr(outbox, "POLL_SECONDS", 3600)
        stopped.sql(FORGET_MANY)
        ai_core.memory_away = True
        tried = "SELECT sum(attempts) FROM outbox"
        async with _at_work(stopped):
            await _soon(lambda: int(stopped.sql(tried)) >= LEAST)
            await asyncio.sleep(1)
            assert int(stopped.sql(tried)) <= MOST + LEAST

    asyncio.run(run())


def test_all_that_waited_is_handed_over_soon_after_the_memory_is_back(
    stopped: Backend, ai_core: AiCoreStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        monkeypatch.setattr(outbox, "POLL_SECONDS", 0.05)
        stopped.sql(FORGET_MANY)
        ai_core.memory_away = True
        async with _at_work(stopped):
            await _soon(lambda: int(stopped.sql("SELECT count(*) FROM outbox WHERE attempts > 0")) > MOST)
            ai_core.memory_away = False
            await _soon(lambda: stopped.sql("SELECT count(*) FROM outbox") == "0")

    asyncio.run(run())


def test_what_is_to_be_forgotten_goes_before_what_waits_longer_to_be_remembered(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    _leave_a_turn(carol, own_backend, ai_core)
    own_backend.sql("UPDATE outbox SET next_at = clock_timestamp() - interval '1 hour'")
    own_backend.sql("INSERT INTO outbox (user_id) VALUES (gen_random_uuid())")

    async def run() -> None:
        async with _worker(own_backend) as worker:
            taken = [row for _ in range(2) for row in await worker.claim(1)]
            assert [bool(row.reply_message_id) for row in taken] == [False, True]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("wrong", "longest"), [("SELECT", outbox.AWAY_PAUSE_SECONDS), ("DELETE FROM user_keys", outbox.WRONG_PAUSE_SECONDS)]
)
def test_a_row_is_put_off_for_long_only_where_something_is_wrong_in_it(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn, wrong: str, longest: int
) -> None:
    _leave_a_turn(carol, own_backend, ai_core)
    own_backend.sql(wrong)
    own_backend.sql("UPDATE outbox SET next_at = clock_timestamp(), attempts = 50")

    async def run() -> None:
        async with _worker(own_backend) as worker:
            await worker.deliver(*await worker.claim())

    asyncio.run(run())
    pause = "SELECT extract(epoch FROM next_at - clock_timestamp()) FROM outbox"
    assert longest / 2 < float(own_backend.sql(pause)) <= longest


def _leave_a_turn(person: Person, backend: Backend, ai_core: AiCoreStandIn) -> None:
    """To be remembered, by a process that is there no more."""
    ai_core.memory_away = True
    assert person.say(person.converse(), "remember this").status_code == 200
    backend.stop()
    assert backend.sql("SELECT count(*) FROM outbox") == "1"
