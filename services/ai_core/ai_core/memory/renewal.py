"""What an earlier version stored plainly, or with another embedding, is brought to this version's form, in place."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.logs import Word
from chassis.sealing.cells import CannotOpen, PersonKey

from ai_core.memory.embedder import Embedder, Embedding
from ai_core.memory.records import CONTENT, PLAIN, VECTOR, memory_of, sealed, tell
from ai_core.memory.store import Memory, MemoryStore, Record
from ai_core.memory.vectors import is_current, unpack

_BATCH = 50


@dataclass(frozen=True, slots=True)
class _Old:
    """What is to be renewed, and its vector where that is still of use."""

    memory: Memory
    embedding: Embedding | None


async def renew(store: MemoryStore, embedder: Embedder, key: PersonKey, user_id: UUID, *, in_the_clear: bool) -> int:
    """Renew what is not in this version's form, its vectors ``in_the_clear`` as well or not; how many that were."""
    embedded = await store.embedded(user_id)
    renewed, after = 0, None
    while records := await store.page(user_id, _BATCH, after):
        after = records[-1].created_at, records[-1].memory_id
        if old := _old(key, user_id, records, embedded, in_the_clear=in_the_clear):
            made = iter(await embedder.embed([each.memory.content for each in old if each.embedding is None]))
            vectors = [next(made) if each.embedding is None else each.embedding for each in old]
            new = [
                sealed(key, each.memory, vector, in_the_clear=in_the_clear)
                for each, vector in zip(old, vectors, strict=True)
            ]
            await store.replace(user_id, new)
            renewed += len(new)
    return renewed


def _old(
    key: PersonKey, user_id: UUID, records: Sequence[Record], embedded: Collection[UUID], *, in_the_clear: bool
) -> list[_Old]:
    old: list[_Old] = []
    failed: list[UUID] = []
    for record in records:
        plain = record.content[:1] == PLAIN
        try:
            content = record.content[1:] if plain else key.open(CONTENT, record.memory_id, record.content)
            memory = memory_of(record, content.decode())
        except (CannotOpen, UnicodeDecodeError):
            failed.append(record.memory_id)
            continue
        embedding = _embedding(key, record)
        if plain or embedding is None or (record.memory_id in embedded) != in_the_clear:
            old.append(_Old(memory, embedding))
    tell(user_id, failed, Word("content"))
    return old


def _embedding(key: PersonKey, record: Record) -> Embedding | None:
    """The vector of ``record`` if it is one of this version's embedding."""
    try:
        packed = key.open(VECTOR, record.memory_id, record.vector or b"")
    except CannotOpen:
        return None
    return unpack(packed) if is_current(packed) else None
