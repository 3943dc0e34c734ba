"""A database with people who have keys, and where the keys of its epochs and its exports are; nobody serves it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from backend import roll_keys
from backend.erasures import repository as erasures
from backend.keys.epochs import EpochGone, EpochKeys, epoch_keys
from backend.keys.exports import FolderOfExports
from backend.keys.exports_format import Decoder, Person
from backend.keys.outer import unwrap, wrap
from backend.settings import RollSettings
from backend.users import repository as users
from chassis.direct import Direct, Transaction
from chassis.sealing.key_service import CannotUnwrap, Purpose

from tests.backend.process import ROLE, Backend
from tests.support.backups import dump, restore

PURPOSES: tuple[Purpose, ...] = ("messages", "memories")
T = TypeVar("T")


@dataclass(frozen=True)
class Somebody:
    """A person, and what the key service made for them."""

    user_id: UUID
    inner: dict[Purpose, bytes]


class House:
    """Whatever a test wants of ``backend``, whose database was just made."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @cached_property
    def settings(self) -> RollSettings:
        """What the roll and the restore read."""
        environment = self.backend.environment("roll_keys")
        return RollSettings.model_validate({name.lower(): value for name, value in environment.items()})

    @property
    def epochs(self) -> EpochKeys:
        """The store of epoch keys."""
        return epoch_keys(self.settings.epoch_keys)

    @property
    def exports(self) -> Path:
        """The folder of exports."""
        return Path(self.settings.key_exports)

    def within(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """What ``work`` gives, run in a transaction of the backend's role."""

        async def run() -> T:
            direct = Direct(self.settings, size=1)
            await direct.open()
            try:
                async with direct.begin() as connection:
                    return await work(connection)
            finally:
                await direct.close()

        return asyncio.run(run())

    def register(self) -> Somebody:
        """Somebody new, with keys in the active epoch."""
        somebody = Somebody(uuid4(), {purpose: os.urandom(184) for purpose in PURPOSES})
        epoch = int(self.sql("SELECT epoch FROM key_epochs WHERE state = 'active'"))
        add = "INSERT INTO users (user_id, email, hashed_password, mac) VALUES (:'it', :'it', '', '')"
        self.sql(";\n".join((add, self._put(somebody, epoch))), it=str(somebody.user_id))
        return somebody

    def put(self, somebody: Somebody, epoch: int) -> None:
        """Store somebody's keys in an epoch."""
        self.sql(self._put(somebody, epoch))

    def _put(self, somebody: Somebody, epoch: int) -> str:
        user, key = somebody.user_id, self.epochs.read(epoch)
        rows = (
            (purpose, wrap(key, user_id=user, purpose=purpose, epoch=epoch, inner=inner))
            for purpose, inner in somebody.inner.items()
        )
        values = ", ".join(rf"('{user}', '{purpose}', {epoch}, '\x{wrapped.hex()}')" for purpose, wrapped in rows)
        return f"INSERT INTO user_keys VALUES {values}"  # noqa: S608 - ids and hexadecimal digits

    def erase(self, somebody: Somebody) -> UUID:
        """Erase somebody as the backend does; the id of the receipt."""

        async def work(connection: Transaction) -> UUID:
            receipt = await erasures.write_down(connection)
            assert await users.remove(connection, somebody.user_id)
            return receipt.erasure_id

        return self.within(work)

    def roll(self) -> None:
        """Run the task to its end."""
        asyncio.run(roll_keys.run(self.settings))

    def reads(self, somebody: Somebody) -> bool:
        """Whether both keys of somebody open; ``False`` where there are none, or their epoch is gone.

        Raises:
            AssertionError: one opens and the other does not, or they are not the ones they were.
        """
        statement = (
            "SELECT purpose, epoch, encode(wrapped, 'hex') FROM user_keys WHERE user_id = :'it' ORDER BY purpose"
        )
        found = self.sql(statement, it=str(somebody.user_id)).split()
        opened = [self._opens(somebody, *row.split("|")) for row in found]
        assert opened in ([], [True, True], [False, False])
        return any(opened)

    def _opens(self, somebody: Somebody, purpose: str, epoch: str, wrapped: str) -> bool:
        named: Purpose = "messages" if purpose == "messages" else "memories"
        try:
            inner = unwrap(
                self.epochs.read(int(epoch)),
                user_id=somebody.user_id,
                purpose=named,
                epoch=int(epoch),
                wrapped=bytes.fromhex(wrapped),
            )
        except (EpochGone, CannotUnwrap):
            return False
        assert inner == somebody.inner[named]
        return True

    def states(self) -> dict[int, str]:
        """Of every epoch, and that a key is there just when it is not destroyed."""
        rows = self.sql("SELECT epoch, state FROM key_epochs ORDER BY epoch").split()
        states = {int(epoch): state for epoch, state in (row.split("|") for row in rows)}
        for epoch, state in states.items():
            assert self.has(epoch) == (state != "destroyed")
        return states

    def has(self, epoch: int) -> bool:
        """Whether the key of an epoch is there."""
        try:
            return len(self.epochs.read(epoch)) == 32
        except EpochGone:
            return False

    def finished(self, erasure: UUID) -> bool:
        """Whether the receipt says that backups are unreadable."""
        return self.sql(
            "SELECT backups_unreadable_at IS NOT NULL FROM erasures WHERE erasure_id = :'it'", it=str(erasure)
        ) == "t"  # fmt: skip

    def exported(self) -> dict[UUID, set[str]]:
        """Whom the newest export names, and of which purposes it has keys; it is whole."""
        with closing(FolderOfExports(self.exports).read(self.export_names()[-1])) as file:
            decoder = Decoder(file, self.epochs.read)
            decoder.header()
            return {
                record.user_id: {key.purpose for key in record.keys}
                for record in decoder.records()
                if isinstance(record, Person)
            }

    def export_names(self) -> list[str]:
        """All exports, the oldest first."""
        return FolderOfExports(self.exports).names()

    def sql(self, statement: str, **variables: str) -> str:
        """What the administrator sees."""
        return self.backend.sql(statement, **variables)

    def backup(self) -> "House":
        """The same database as it is now, dumped and restored into another; the keys of epochs are in no backup."""
        copy = Backend(
            self.backend.postgres,
            self.backend.certificates,
            self.backend.ai_core_port,
            f"backup_{uuid4().hex}",
            {"keys.epochs": self.settings.epoch_keys, "keys.exports": self.settings.key_exports},
        )
        restore(copy.postgres, dump(copy.postgres, self.backend.database), copy.database)
        self.sql('GRANT CONNECT ON DATABASE :"it" TO :"role"', it=copy.database, role=ROLE)
        return House(copy)
