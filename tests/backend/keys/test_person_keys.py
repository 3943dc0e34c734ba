"""People's keys: who gets one, how often it is asked for, and what is no key of theirs."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from backend.keys import person_keys
from backend.keys.epochs import EpochKeys, epoch_keys
from backend.keys.missing import give_keys
from backend.keys.person_keys import NoKeys, PersonKeys
from chassis.direct import Direct
from chassis.sealing.cells import Field
from chassis.sealing.key_service import (
    CannotUnwrap,
    Context,
    KeyServiceUnavailable,
    context,
    key_service,
)

from tests.backend.keys.house import House

FIELD = Field("messages", "content")
ROW = uuid4()


class Watched:
    """The key service, which can be away or hang, and counts who asks."""

    def __init__(self, house: House) -> None:
        self._real = key_service(house.settings.key_service)
        self.away = False
        self.hangs = threading.Event()
        self.hangs.set()
        self.unwrapped: list[str] = []

    def generate(self, context: Context) -> bytes:
        self._answer()
        return self._real.generate(context)

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        self.unwrapped.append(context["user_id"])
        self._answer()
        return self._real.unwrap(wrapped, context)

    def _answer(self) -> None:
        self.hangs.wait(10)
        if self.away:
            raise KeyServiceUnavailable("away")


class People:
    """Some people with keys, and the keys as a process has them."""

    def __init__(self, house: House, direct: Direct, service: Watched, epochs: EpochKeys) -> None:
        self.house = house
        self.direct = direct
        self.service = service
        self.keys = PersonKeys(direct, service, epochs)

    async def register(self) -> UUID:
        user_id = uuid4()
        await asyncio.to_thread(
            self.house.sql, "INSERT INTO users (user_id, email, hashed_password, mac) VALUES (:'it', :'it', '', '')",
            it=str(user_id),
        )  # fmt: skip
        new = await self.keys.make(user_id)
        async with self.direct.begin() as connection:
            await self.keys.create(connection, user_id, new)
        return user_id

    def another_process(self) -> "People":
        return People(self.house, self.direct, self.service, epoch_keys(self.house.settings.epoch_keys))


def _run(house: House, work: Callable[[People], Awaitable[None]]) -> None:
    async def run() -> None:
        direct, service = Direct(house.settings, size=4), Watched(house)
        await direct.open()
        people = People(house, direct, service, house.epochs)
        try:
            await work(people)
        finally:
            people.keys.close()
            await direct.close()

    asyncio.run(run())


def test_each_person_has_keys_of_their_own_and_every_process_finds_them(house: House) -> None:
    async def work(people: People) -> None:
        alice, bob = await people.register(), await people.register()
        cell = (await people.keys.messages(alice)).seal(FIELD, ROW, b"hello")
        again = people.another_process()
        assert (await again.keys.messages(alice)).open(FIELD, ROW, cell) == b"hello"
        ours = {(await people.keys.messages(user_id)).subkey("told apart") for user_id in (alice, bob)}
        assert len(ours) == 2
        again.keys.close()

    _run(house, work)


def test_the_key_of_memories_is_handed_over_wrapped_and_is_none_of_messages(house: House) -> None:
    async def work(people: People) -> None:
        alice = await people.register()
        handed = await people.keys.memory_key(alice)
        assert people.service.unwrapped == []
        assert len(people.service.unwrap(handed, context("memories", alice))) == 32
        for other in (context("messages", alice), context("memories", uuid4())):
            with pytest.raises(CannotUnwrap):
                people.service.unwrap(handed, other)

    _run(house, work)


def test_who_asks_at_the_same_time_has_the_key_service_asked_once(house: House) -> None:
    async def work(people: People) -> None:
        alice = await people.register()
        people.service.hangs.clear()
        asked = [asyncio.create_task(people.keys.messages(alice)) for _ in range(20)]
        await asyncio.sleep(0.2)
        asked[0].cancel()  # who gives up takes nothing from the others
        people.service.hangs.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert len({id(answer) for answer in answers[1:]}) == 1
        assert people.service.unwrapped == [str(alice)]

    _run(house, work)


def test_without_the_key_service_those_who_are_known_go_on_and_nobody_else(house: House) -> None:
    async def work(people: People) -> None:
        alice, bob = await people.register(), await people.register()
        known = await people.keys.messages(alice)
        people.service.away = True
        assert await people.keys.messages(alice) is known
        with pytest.raises(KeyServiceUnavailable):
            await people.keys.messages(bob)
        with pytest.raises(KeyServiceUnavailable):
            await people.keys.make(uuid4())
        people.service.away = False
        assert (await people.keys.messages(bob)).subkey("") != known.subkey("")  # a failure is not kept

    _run(house, work)


def test_a_key_service_that_hangs_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(people: People) -> None:
        alice = await people.register()
        people.service.hangs.clear()
        with pytest.raises(KeyServiceUnavailable):
            await people.keys.messages(alice)
        people.service.hangs.set()

    monkeypatch.setattr(person_keys, "CALL_SECONDS", 0.3)
    _run(house, work)


def test_who_is_erased_is_forgotten_also_while_their_key_is_on_its_way(house: House) -> None:
    async def work(people: People) -> None:
        alice = await people.register()
        people.service.hangs.clear()
        asked = asyncio.create_task(people.keys.messages(alice))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(house.sql, "DELETE FROM users WHERE user_id = :'it'", it=str(alice))
        people.keys.forget(alice)
        people.service.hangs.set()
        await asked  # began before
        for key in (people.keys.messages, people.keys.memory_key):
            with pytest.raises(NoKeys):
                await key(alice)

    _run(house, work)


@pytest.mark.parametrize(
    "change",
    [
        # Another's key, both purposes, as whoever knows that one's password would like it.
        (
            "UPDATE user_keys SET wrapped = (SELECT wrapped FROM user_keys o WHERE o.user_id = :'bob' AND "
            "o.purpose = user_keys.purpose) WHERE user_id = :'alice'"
        ),
        # One's own, for the other purpose.
        (
            "UPDATE user_keys SET wrapped = (SELECT wrapped FROM user_keys o WHERE o.user_id = :'alice' AND "
            "o.purpose <> user_keys.purpose) WHERE user_id = :'alice'"
        ),
        "UPDATE user_keys SET wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1) WHERE user_id = :'alice'",
        "UPDATE user_keys SET wrapped = '' WHERE user_id = :'alice'",
    ],
    ids=["anothers", "of-the-other-purpose", "flipped-bit", "nothing"],
)
def test_a_key_that_was_changed_in_the_database_is_refused(house: House, change: str) -> None:
    async def work(people: People) -> None:
        alice, bob = await people.register(), await people.register()
        await asyncio.to_thread(house.sql, change, alice=str(alice), bob=str(bob))
        for key in (people.keys.messages, people.keys.memory_key):
            with pytest.raises(CannotUnwrap):
                await key(alice)
        await people.keys.messages(bob)

    _run(house, work)


def test_people_without_keys_are_given_some_and_those_who_have_some_keep_them(house: House) -> None:
    async def work(people: People) -> None:
        alice, bob = await people.register(), await people.register()
        had = (await people.keys.messages(alice)).subkey("")
        await asyncio.to_thread(house.sql, "DELETE FROM user_keys WHERE user_id = :'it'", it=str(bob))
        several = [people.another_process() for _ in range(3)]
        given = await asyncio.gather(*(give_keys(one.direct, one.keys) for one in several))
        assert 1 <= sum(given) <= 3
        assert await give_keys(people.direct, people.keys) == 0
        found = [await one.keys.messages(user_id) for one in several for user_id in (alice, bob)]
        assert {key.subkey("") for key in found[::2]} == {had}
        assert len({key.subkey("") for key in found[1::2]}) == 1
        for one in several:
            one.keys.close()

    _run(house, work)
