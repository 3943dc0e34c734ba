"""Memories to the records that a store keeps, and back: who seals and opens, and in which place."""

from collections.abc import Sequence
from uuid import UUID

from chassis.logs import Word, log
from chassis.sealing.cells import CannotOpen, Field, PersonKey

from ai_core.memory.embedder import Embedding
from ai_core.memory.store import Memory, Record
from ai_core.memory.vectors import Vectors, collect, is_current, pack

CONTENT = Field("memories", "content")
VECTOR = Field("memories", "vector")
"""Where the cells stand; the row is the memory's id."""
PLAIN = b"\x00"
"""The first byte of words that were stored before they were sealed. They are read by who seals them and nobody else:
otherwise whoever can change the store could put words there that no key was needed for."""


def sealed(key: PersonKey, memory: Memory, embedding: Embedding, *, in_the_clear: bool) -> Record:
    """What is stored of ``memory``, its vector ``in_the_clear`` as well or not."""
    return Record(
        memory_id=memory.memory_id,
        conversation_id=memory.conversation_id,
        message_id=memory.message_id,
        sender=memory.sender,
        created_at=memory.created_at,
        content=key.seal(CONTENT, memory.memory_id, memory.content.encode()),
        vector=key.seal(VECTOR, memory.memory_id, pack(embedding)),
        embedding=embedding if in_the_clear else None,
    )


def opened(key: PersonKey, user_id: UUID, records: Sequence[Record]) -> list[Memory]:
    """The memories in ``records``; those that ``key`` does not open are left out, and a log line says so."""
    memories: list[Memory] = []
    failed: list[UUID] = []
    for record in records:
        try:
            memories.append(memory_of(record, key.open(CONTENT, record.memory_id, record.content).decode()))
        except CannotOpen:
            failed.append(record.memory_id)
    tell(user_id, failed, Word("content"))
    return memories


def opened_vectors(key: PersonKey, user_id: UUID, cells: Sequence[tuple[UUID, bytes]]) -> Vectors:
    """The vectors in ``cells`` that can be compared; those that ``key`` does not open are told as above."""
    ids: list[UUID] = []
    packed: list[bytes] = []
    failed: list[UUID] = []
    for memory_id, cell in cells:
        try:
            plain = key.open(VECTOR, memory_id, cell)
        except CannotOpen:
            failed.append(memory_id)
        else:
            if is_current(plain):
                ids.append(memory_id)
                packed.append(plain)
    tell(user_id, failed, Word("vector"))
    return collect(ids, packed)


def memory_of(record: Record, content: str) -> Memory:
    """The memory in ``record``, whose words are ``content``."""
    return Memory(
        memory_id=record.memory_id,
        conversation_id=record.conversation_id,
        message_id=record.message_id,
        sender=record.sender,
        content=content,
        created_at=record.created_at,
    )


def tell(user_id: UUID, failed: Sequence[UUID], part: Word) -> None:
    """Log that cells of a person do not open: how many, and the memory of the first."""
    if failed:
        log("memory.cannot_open", "error", user_id=user_id, memory_id=failed[0], cells=len(failed), part=part)
