"""``/v1/users/{user_id}/…memories``: what is remembered of a person, read out and forgotten."""

import asyncio
import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from chassis.problems import InvalidValue, Problem, documented
from chassis.requests import takes
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from tokenizers import Tokenizer

from ai_core.core import Core
from ai_core.memory.chunks import passages
from ai_core.memory.store import Forgotten, Memory, Position, Sender, memory_id
from ai_core.text import Text


def _no_number(moment: object) -> object:
    if isinstance(moment, int | float):
        raise ValueError("must be a date and time in words")  # noqa: TRY004 - what pydantic understands
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]
"""A time with its zone; pydantic by itself would also take the seconds since 1970."""


class Message(BaseModel):
    """A message to be remembered."""

    message_id: UUID
    sender: Sender
    content: Text
    created_at: Moment


class Messages(BaseModel):
    """Messages of one conversation."""

    conversation_id: UUID
    messages: list[Message] = Field(max_length=100)


class MemoryPage(BaseModel):
    """Some memories, oldest first; ``next`` is the cursor of the page after them."""

    items: list[Memory]
    next: str | None


def router(core: Core) -> APIRouter:
    """The routes, over ``core``."""
    routes = APIRouter(prefix="/v1/users/{user_id}", tags=["memories"])

    @routes.put(
        "/memories",
        status_code=204,
        dependencies=[Depends(takes("application/json"))],
        responses=documented(410, 413, 415, 422, 503),
    )
    async def remember(user_id: UUID, body: Messages) -> None:
        """Remember messages. The same message twice is remembered once."""
        memories = await asyncio.to_thread(_cut, user_id, body, core.tokenizer)
        embeddings = await core.embedder.embed([memory.content for memory in memories])
        try:
            await core.store.remember(user_id, body.conversation_id, memories, embeddings)
        except Forgotten:
            raise Problem(410, "This person or conversation was forgotten; nothing of it is kept.") from None

    @routes.get("/memories", responses=documented(422, 503))
    async def read(
        user_id: UUID, limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None
    ) -> MemoryPage:
        """All that is remembered of a person, a page at a time."""
        items = await core.store.page(user_id, limit + 1, _position(cursor) if cursor else None)
        more = len(items) > limit
        return MemoryPage(items=items[:limit], next=_cursor(items[limit - 1]) if more else None)

    @routes.delete("/memories", status_code=204, responses=documented(422, 503))
    async def forget(user_id: UUID) -> None:
        """Forget a person, for good."""
        await core.store.forget_user(user_id)

    @routes.delete("/conversations/{conversation_id}/memories", status_code=204, responses=documented(422, 503))
    async def forget_conversation(user_id: UUID, conversation_id: UUID) -> None:
        """Forget a conversation, for good."""
        await core.store.forget_conversation(user_id, conversation_id)

    return routes


def _cut(user_id: UUID, body: Messages, tokenizer: Tokenizer) -> list[Memory]:
    return [
        Memory(
            memory_id=memory_id(user_id, message.message_id, number),
            conversation_id=body.conversation_id,
            message_id=message.message_id,
            sender=message.sender,
            content=passage,
            created_at=message.created_at,
        )
        for message in body.messages
        for number, passage in enumerate(passages(message.content, tokenizer))
    ]


def _cursor(memory: Memory) -> str:
    return base64.urlsafe_b64encode(f"{memory.created_at.isoformat()} {memory.memory_id}".encode()).decode()


def _position(cursor: str) -> Position:
    try:
        written, _, identifier = base64.urlsafe_b64decode(cursor).decode().rpartition(" ")
        position = datetime.fromisoformat(written), UUID(identifier)
    except ValueError:
        position = None
    if position is None or position[0].tzinfo is None:
        wrong = InvalidValue(pointer="/query/cursor", detail="must be the next of a page before")
        raise Problem(422, "The cursor is not one of ours.", errors=[wrong])
    return position
