"""A person's key is unwrapped for them alone, once however many ask, and known for a while."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from ai_core.memory.keys import MemoryKeys
from chassis.sealing.cells import Field, PersonKey
from chassis.sealing.key_service import (
    CannotUnwrap,
    Context,
    FileKeyService,
    KeyService,
    KeyServiceUnavailable,
    context,
)

FIELD, ROW = Field("memories", "content"), uuid4()

pytestmark = pytest.mark.anyio


class Counting:
    """A key service that counts what it is asked for, and can be away or slow."""

    def __init__(self, service: KeyService) -> None:
        self._service = service
        self.asked: list[Context] = []
        self.away = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def generate(self, context: Context) -> bytes:
        return self._service.generate(context)

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        self.asked.append(context)
        self.goes_on.wait(10)
        if self.away:
            raise KeyServiceUnavailable
        return self._service.unwrap(wrapped, context)


@pytest.fixture
def service(tmp_path: Path) -> Counting:
    (tmp_path / "words.key").write_bytes(os.urandom(32))
    return Counting(FileKeyService(tmp_path / "words.key"))


@pytest.fixture
def keys(service: Counting) -> Iterator[MemoryKeys]:
    keys = MemoryKeys(service)
    yield keys
    service.goes_on.set()
    keys.close()


def opens(one: PersonKey, other: PersonKey) -> bool:
    return other.open(FIELD, ROW, one.seal(FIELD, ROW, b"words")) == b"words"


async def test_a_key_is_the_one_that_was_wrapped_for_this_persons_memories(keys: MemoryKeys, service: Counting) -> None:
    user = uuid4()
    wrapped = service.generate(context("memories", user))
    plain = PersonKey(user, service.unwrap(wrapped, context("memories", user)))
    assert opens(plain, await keys.of(user, wrapped))


async def test_a_key_that_is_known_is_not_asked_for_again(keys: MemoryKeys, service: Counting) -> None:
    user = uuid4()
    wrapped = service.generate(context("memories", user))
    first = await keys.of(user, wrapped)
    service.away = True
    assert await keys.of(user, wrapped) is first
    assert service.asked == [context("memories", user)]
    keys.forget(user)
    with pytest.raises(KeyServiceUnavailable):
        await keys.of(user, wrapped)


async def test_however_many_ask_at_once_the_key_service_is_asked_once(keys: MemoryKeys, service: Counting) -> None:
    user = uuid4()
    wrapped = service.generate(context("memories", user))
    service.goes_on.clear()
    asking = [asyncio.create_task(keys.of(user, wrapped)) for _ in range(20)]
    await asyncio.sleep(0.05)
    asking[0].cancel()  # one who gives up takes nothing from the others
    service.goes_on.set()
    got = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(got[0], asyncio.CancelledError)
    assert len({id(key) for key in got[1:]}) == 1
    assert len(service.asked) == 1


async def test_a_failure_is_told_to_all_who_wait_and_not_remembered(keys: MemoryKeys, service: Counting) -> None:
    user = uuid4()
    wrapped = service.generate(context("memories", user))
    service.away = True
    failed = await asyncio.gather(*(keys.of(user, wrapped) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [KeyServiceUnavailable] * 3
    service.away = False
    assert isinstance(await keys.of(user, wrapped), PersonKey)


async def test_what_was_not_wrapped_for_this_persons_memories_is_refused(keys: MemoryKeys, service: Counting) -> None:
    alice, mallory = uuid4(), uuid4()
    good = service.generate(context("memories", alice))
    await keys.of(alice, good)
    changed = bytes([good[0] ^ 1]) + good[1:]
    for user, wrapped in (
        (mallory, good),
        (alice, service.generate(context("memories", mallory))),
        (alice, service.generate(context("messages", alice))),
        (alice, changed),
        (alice, b""),
    ):
        with pytest.raises(CannotUnwrap):
            await keys.of(user, wrapped)
    assert await keys.of(alice, good)
