"""The protocol of a memory store. Every call about a memory takes the person first: none can be made without."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from ai_core.memory.embedder import Embedding

Sender = Literal["user", "ai"]

NEAREST = 8
"""Memories that a search finds at most."""
LEAST_SIMILARITY = 0.25
"""Cosine below which two texts have nothing to do with each other for the embedding model."""


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


class MemoryStore(Protocol):
    """Where memories are. A store that cannot be reached raises what its ``unavailable`` handler answers with 503."""

    async def remember(
        self, user_id: UUID, conversation_id: UUID, memories: Sequence[Memory], embeddings: Sequence[Embedding]
    ) -> None:
        """Keep memories of one conversation; those kept before stay as they are.

        Raises:
            Forgotten: the person or the conversation was forgotten. Then nothing is kept, however late the call.
        """
        ...

    async def search(self, user_id: UUID, embedding: Embedding) -> list[Memory]:
        """The person's ``NEAREST`` memories of at least ``LEAST_SIMILARITY``, most similar first."""
        ...

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Memory]:
        """The person's memories in the order of their positions, ``limit`` at most."""
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
