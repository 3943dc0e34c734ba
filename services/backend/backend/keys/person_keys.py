"""People's data keys: made wrapped, unwrapped for this process, known for minutes.

What the database holds of a key is ``outer(epoch key, inner(key service, data key))``. The backend opens the outer
layer of both keys of a person, and the inner one of the key for messages. The AI core is handed the other as it is.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from chassis.direct import Built, Connection, Direct
from chassis.logs import log
from chassis.sealing.cells import PersonKey
from chassis.sealing.key_service import CannotUnwrap, KeyService, KeyServiceUnavailable, Purpose, context
from chassis.sealing.recent import Recent
from sqlalchemy import Integer, LargeBinary, Text, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from backend.keys import outer
from backend.keys.active import hold_active
from backend.keys.asked_once import AskedOnce
from backend.keys.epochs import EpochGone, EpochKeys
from backend.schema import user_keys

CALL_SECONDS = 5
"""How long a person waits for the key service and the store of epoch keys before they are told to come again."""
THREADS = 8
"""Calls at the same time; each takes some 10 ms where all is well."""
EPOCHS = 8
"""Of which the keys are known at the same time; more than two are in use only while a roll is late."""
PURPOSES: tuple[Purpose, ...] = ("messages", "memories")

V = TypeVar("V")

_FIND = Built(
    select(user_keys.c.epoch, user_keys.c.wrapped).where(
        user_keys.c.user_id == bindparam("user", type_=Uuid()),
        user_keys.c.purpose == bindparam("purpose", type_=Text()),
    )
)
_ADD = Built(
    insert(user_keys)
    .values(
        user_id=bindparam("user", type_=Uuid()),
        purpose=bindparam("purpose", type_=Text()),
        epoch=bindparam("epoch", type_=Integer()),
        wrapped=bindparam("wrapped", type_=LargeBinary()),
    )
    .on_conflict_do_nothing()
)


class NoKeys(LookupError):
    """There is no such person, or none who has keys: who is erased loses them at once."""


@dataclass(frozen=True)
class NewKeys:
    """A person's keys before they are stored, as the key service wrapped them: nobody has seen them."""

    inner: dict[Purpose, bytes] = field(repr=False)


class PersonKeys:
    """The keys of people, for one process.

    Whoever calls should be in no transaction: a key service that is slow would hold up what it has locked. Every method
    but ``forget`` may raise ``KeyServiceUnavailable`` or ``EpochKeysUnavailable``, both a ``ConnectionError``.

    Args:
        direct: Where wrapped keys are.
        key_service: Wraps the inner layer.
        epoch_keys: Hold the keys of the outer layer.
    """

    def __init__(self, direct: Direct, key_service: KeyService, epoch_keys: EpochKeys) -> None:
        self._direct = direct
        self._key_service = key_service
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="keys")
        self._messages = AskedOnce[UUID, PersonKey](Recent(), self._open_messages)
        self._memories = AskedOnce[UUID, bytes](Recent(), lambda user_id: self._inner(user_id, "memories"))
        self._epochs = AskedOnce[int, bytes](Recent(most=EPOCHS), lambda epoch: self._call(epoch_keys.read, epoch))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def make(self, user_id: UUID) -> NewKeys:
        """Keys for somebody who has none yet."""
        made = (self._call(self._key_service.generate, context(purpose, user_id)) for purpose in PURPOSES)
        return NewKeys(dict(zip(PURPOSES, await asyncio.gather(*made), strict=True)))

    async def unwrap_messages(self, user_id: UUID, new: NewKeys) -> PersonKey:
        """The key for messages out of ``new``."""
        return await self._unwrap(user_id, "messages", new.inner["messages"])

    async def create(self, connection: Connection, user_id: UUID, new: NewKeys) -> None:
        """Store ``new`` in the transaction that makes the person; one that is there already stays.

        The active epoch cannot be retired before the transaction ends, so a roll finds these keys too.

        Raises:
            NoEpoch: the first has yet to be made.
        """
        epoch = await hold_active(connection)
        epoch_key = await self._epochs.get(epoch)
        for purpose, inner in new.inner.items():
            wrapped = outer.wrap(epoch_key, user_id=user_id, purpose=purpose, epoch=epoch, inner=inner)
            await connection.rows(_ADD, user=user_id, purpose=purpose, epoch=epoch, wrapped=wrapped)

    async def messages(self, user_id: UUID) -> PersonKey:
        """The key of what this person and their personas say.

        Raises:
            NoKeys: they have none.
            CannotUnwrap: what is stored is not theirs.
        """
        return await self._messages.get(user_id)

    async def memory_key(self, user_id: UUID) -> bytes:
        """The key of this person's memories as the key service wrapped it, to be handed to the AI core.

        Raises:
            NoKeys: they have none.
            CannotUnwrap: what is stored is not theirs.
        """
        return await self._memories.get(user_id)

    def forget(self, user_id: UUID) -> None:
        """Know this person's keys no more, because they were erased."""
        self._messages.forget(user_id)
        self._memories.forget(user_id)

    async def _open_messages(self, user_id: UUID) -> PersonKey:
        return await self._unwrap(user_id, "messages", await self._inner(user_id, "messages"))

    async def _inner(self, user_id: UUID, purpose: Purpose) -> bytes:
        for last in (False, True):
            found = await self._direct.rows(_FIND, user=user_id, purpose=purpose)
            if not found:
                raise NoKeys("this person has no keys")
            (row,) = found
            try:
                epoch_key = await self._epochs.get(row.epoch)
            except EpochGone:
                # Between the two reads a roll has wrapped the key anew.
                if last:
                    raise
                continue
            try:
                return outer.unwrap(epoch_key, user_id=user_id, purpose=purpose, epoch=row.epoch, wrapped=row.wrapped)
            except CannotUnwrap:
                log("keys.changed_outside", "error", user_id=user_id)
                raise
        raise AssertionError  # the second turn of the loop ends in one way or another

    async def _unwrap(self, user_id: UUID, purpose: Purpose, inner: bytes) -> PersonKey:
        try:
            return PersonKey(user_id, await self._call(self._key_service.unwrap, inner, context(purpose, user_id)))
        except CannotUnwrap:
            log("keys.changed_outside", "error", user_id=user_id)
            raise

    async def _call(self, function: Callable[..., V], *arguments: object) -> V:
        """Run what may wait for the network in a thread, but have nobody wait for ever."""
        called = asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*arguments))
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await called
        except TimeoutError:
            raise KeyServiceUnavailable(f"no answer in {CALL_SECONDS} s") from None
