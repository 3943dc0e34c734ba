"""What whoever has a copy of both databases reads with the keys that are left today."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from uuid import UUID

from backend.keys.epochs import EpochGone, epoch_keys
from backend.keys.exports import FolderOfExports
from backend.keys.exports_format import Decoder, Person
from backend.keys.outer import unwrap
from chassis.sealing.cells import CannotOpen, Field, PersonKey
from chassis.sealing.key_service import CannotUnwrap, Purpose, context, key_service

from local.postgres import Postgres

PURPOSES: tuple[Purpose, ...] = ("messages", "memories")
_NAMED: dict[str, Purpose] = {purpose: purpose for purpose in PURPOSES}


@dataclass(frozen=True)
class Key:
    """A wrapped key, as it is found somewhere."""

    user_id: UUID
    purpose: Purpose
    epoch: int
    wrapped: bytes


@dataclass(frozen=True)
class Cells:
    """What people said and what is remembered of them, sealed: user, place, row and cell."""

    cells: list[tuple[UUID, Field, UUID, bytes]]

    def words(self, keys: dict[Purpose, set[bytes]], user_id: UUID) -> set[str]:
        """All of this person's that any of ``keys`` opens."""
        found: set[str] = set()
        for owner, field, row, cell in self.cells:
            purpose: Purpose = "messages" if field.table == "messages" else "memories"
            for key in keys[purpose] if owner == user_id else ():
                try:
                    found.add(PersonKey(user_id, key).open(field, row, cell).decode())
                except CannotOpen:
                    continue
        return found


def cells_in(server: Postgres, users: str, memory: str) -> Cells:
    """Those of two databases."""
    found: list[tuple[UUID, Field, UUID, bytes]] = []
    for database, table, row in ((users, "messages", "message_id"), (memory, "memories", "memory_id")):
        # The names are ours.
        chosen = f"SELECT user_id, {row}, encode(content, 'hex') FROM {table} ORDER BY 1, 2"  # noqa: S608
        for line in server.query(chosen, PGDATABASE=database).splitlines():
            user, its, cell = line.split("|")
            found.append((UUID(user), Field(table, "content"), UUID(its), bytes.fromhex(cell)))
    return Cells(found)


def keys_in(server: Postgres, database: str) -> list[Key]:
    """The keys of people in a database."""
    chosen = "SELECT user_id, purpose, epoch, encode(wrapped, 'hex') FROM user_keys ORDER BY user_id, purpose"
    found: list[Key] = []
    for line in server.query(chosen, PGDATABASE=database).splitlines():
        user, named, epoch, wrapped = line.split("|")
        found.append(Key(UUID(user), _NAMED[named], int(epoch), bytes.fromhex(wrapped)))
    return found


def keys_exported(state: Path) -> Iterator[Key]:
    """The keys in every export that can be read today."""
    exports, epochs = FolderOfExports(state / "exports"), epoch_keys(str(state / "epochs"))
    for name in exports.names():
        with closing(exports.read(name)) as file:
            decoder = Decoder(file, epochs.read)
            try:
                decoder.header()
                records = list(decoder.records())
            except EpochGone:
                continue
        for person in records:
            if isinstance(person, Person):
                yield from (Key(person.user_id, key.purpose, key.epoch, key.wrapped) for key in person.keys)


def opened(keys: list[Key], state: Path) -> dict[Purpose, set[bytes]]:
    """The data keys in ``keys``, with the key service and all epoch keys that are left."""
    service, epochs = key_service(str(state / "secrets/key-service")), epoch_keys(str(state / "epochs"))
    left = {epoch: epochs.read(epoch) for epoch in _epochs(state)}
    found: dict[Purpose, set[bytes]] = {purpose: set() for purpose in PURPOSES}
    for key, epoch in product(keys, left):  # with each of them, whatever the row says
        try:
            inner = unwrap(left[epoch], user_id=key.user_id, purpose=key.purpose, epoch=key.epoch, wrapped=key.wrapped)
        except CannotUnwrap:
            continue
        found[key.purpose].add(service.unwrap(inner, context(key.purpose, key.user_id)))
    return found


def _epochs(state: Path) -> list[int]:
    return [int(path.stem) for path in (state / "epochs").glob("*.key")]
