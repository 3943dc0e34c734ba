"""The protocol of a memory store. Every call about a memory takes the person first: none can be made without.

A store knows people, ids, times and bytes. It has no key and sees no words: what it keeps of those are cells
(``chassis.sealing.cells``) that ``ai_core.memory.memories`` seals and opens.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from ai_core.memory.embedder import Embedding

Sender = Literal["user", "ai"]

NEAREST = 8
"""Memories that a search finds at most."""


class Memory(BaseModel):
    """A passage of a message."""

    model_config = ConfigDict(frozen=True)

    memory_id: UUID
    conversation_id: UUID
    message_id: UUID
    sender: Sender
    content: str
    created_at: datetime
    """When the message was written; has a time zone."""


Position = tuple[datetime, UUID]
"""Where a memory stands among a person's: ``created_at`` and ``memory_id``, both ascending."""


class Forgotten(Exception):
    """The person or the conversation was forgotten; nothing of it is ever stored again."""


@dataclass(frozen=True, slots=True)
class Record:
    """A memory as a store keeps it: its words and its vector sealed, its time, sender and ids in the clear."""

    memory_id: UUID
    conversation_id: UUID
    message_id: UUID
    sender: Sender
    created_at: datetime
    content: bytes
    """A cell; what was stored before there were cells begins with another byte."""
    vector: bytes | None
    """A cell; ``None`` of what was stored before there were cells."""
    embedding: Embedding | None = field(default=None, compare=False)
    """The vector once more, in the clear, for a store that is to compare vectors itself. Written and never read."""


class MemoryStore(Protocol):
    """Where memories are. A store that cannot be reached raises what its ``unavailable`` handler answers with 503.

    What was forgotten is never read again from the moment that the call which forgets returns, whoever asks.
    """

    async def remember(self, user_id: UUID, conversation_id: UUID, records: Sequence[Record]) -> None:
        """Keep memories of one conversation; those kept before stay as they are, those forgotten one by one away.

        Raises:
            Forgotten: the person or the conversation was forgotten. Then nothing is kept, however late the call.
        """
        ...

    async def vectors(self, user_id: UUID) -> list[tuple[UUID, bytes]]:
        """Ids and vector cells of all the person's memories that have one, in no order."""
        ...

    async def nearest(self, user_id: UUID, embedding: Embedding, most: int) -> list[UUID]:
        """The ``most`` of the person's memories kept with an embedding that are nearest by cosine, nearest first."""
        ...

    async def read(self, user_id: UUID, memory_ids: Collection[UUID]) -> list[Record]:
        """Those of the person's memories that have one of the ids, in no order."""
        ...

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Record]:
        """The person's memories in the order of their positions, ``limit`` at most."""
        ...

    async def embedded(self, user_id: UUID) -> set[UUID]:
        """The person's memories that are kept with an embedding."""
        ...

    async def replace(self, user_id: UUID, records: Sequence[Record]) -> None:
        """Put records in the place of those with the same ids; one that is not there (any more) is not kept."""
        ...

    async def trim(self, user_id: UUID, most: int) -> int:
        """Remove what the person has more than ``most``: the AI's oldest first, then their own; how many that were.

        They are not forgotten: the same memory may be kept again.
        """
        ...

    async def forget(self, user_id: UUID, memory_id: UUID) -> bool:
        """Remove one memory, for good; whether the person had it."""
        ...

    async def forget_user(self, user_id: UUID) -> None:
        """Remove all memories of the person, for good."""
        ...

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """Remove all memories of one of the person's conversations, for good."""
        ...

    async def check(self) -> None:
        """Return when the store answers, raise when it does not."""
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...


def memory_id(user_id: UUID, message_id: UUID, passage: int) -> UUID:
    """The id of a message's passage: always the same, so that storing it twice stores it once.

    The passages of a message are in order: their number takes the last two bytes of a name-based UUID.
    """
    name = uuid5(user_id, message_id.hex)
    return UUID(int=(name.int >> 16 << 16) | passage)
