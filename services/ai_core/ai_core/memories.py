"""``/v1/users/{user_id}/…memories``: what is remembered of a person, read out, forgotten and kept in today's form."""

import asyncio
import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from chassis.problems import InvalidValue, Problem, documented
from chassis.requests import takes
from chassis.sealing.cells import PersonKey
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from tokenizers import Tokenizer

from ai_core.core import Core
from ai_core.memory.chunks import passages
from ai_core.memory.memories import Memories
from ai_core.memory.store import Forgotten, Memory, Position, Sender, memory_id
from ai_core.memory_key import WrappedKey, unwrapped
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


class Form(BaseModel):
    """In which form memories are kept. Who has some in another one is to have them renewed."""

    format: int


def router(core: Core) -> APIRouter:
    """The routes, over ``core``."""
    routes = APIRouter(prefix="/v1", tags=["memories"])
    renewals = _Renewals(core.memories)

    @routes.put(
        "/users/{user_id}/memories",
        status_code=204,
        dependencies=[Depends(takes("application/json"))],
        responses=documented(410, 413, 415, 422, 503),
    )
    async def remember(user_id: UUID, wrapped: WrappedKey, body: Messages) -> None:
        """Remember messages. The same message twice is remembered once."""
        key = await unwrapped(core.keys, user_id, wrapped)
        memories = await asyncio.to_thread(_cut, user_id, body, core.tokenizer)
        try:
            await core.memories.remember(key, user_id, body.conversation_id, memories)
        except Forgotten:
            raise Problem(410, "This person or conversation was forgotten; nothing of it is kept.") from None

    @routes.get("/users/{user_id}/memories", responses=documented(422, 503))
    async def read(
        user_id: UUID,
        wrapped: WrappedKey,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: str | None = None,
    ) -> MemoryPage:
        """All that is remembered of a person, a page at a time."""
        position = _position(cursor) if cursor is not None else None
        page = await core.memories.page(await unwrapped(core.keys, user_id, wrapped), user_id, limit, position)
        return MemoryPage(items=page.memories, next=_cursor(page.next) if page.next else None)

    @routes.delete("/users/{user_id}/memories", status_code=204, responses=documented(422, 503))
    async def forget(user_id: UUID) -> None:
        """Forget a person, for good."""
        core.keys.forget(user_id)
        await core.memories.forget_user(user_id)

    # Only an id: ``renewal`` beside it is another address.
    @routes.delete("/users/{user_id}/memories/{memory_id:uuid}", status_code=204, responses=documented(404, 422, 503))
    async def forget_memory(user_id: UUID, memory_id: UUID) -> None:
        """Forget one memory, for good."""
        if not await core.memories.forget(user_id, memory_id):
            raise Problem(404, "This person has no memory with this id.")

    @routes.delete(
        "/users/{user_id}/conversations/{conversation_id}/memories", status_code=204, responses=documented(422, 503)
    )
    async def forget_conversation(user_id: UUID, conversation_id: UUID) -> None:
        """Forget a conversation, for good."""
        await core.memories.forget_conversation(user_id, conversation_id)

    @routes.post("/users/{user_id}/memories/renewal", responses=documented(422, 503))
    async def renew(user_id: UUID, wrapped: WrappedKey) -> Form:
        """Bring what an earlier version remembered of a person to this version's form. May be asked for again."""
        await renewals.of(await unwrapped(core.keys, user_id, wrapped), user_id)
        return Form(format=core.memories.format)

    @routes.get("/memories/format")
    async def current_format() -> Form:
        """The form in which memories are kept from now on."""
        return Form(format=core.memories.format)

    return routes


class _Renewals:
    """One may take longer than its caller waits: who then asks again waits for the same work, and makes no more."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories
        self._running: dict[UUID, asyncio.Task[int]] = {}

    async def of(self, key: PersonKey, user_id: UUID) -> None:
        running = self._running.get(user_id)
        if running is None:
            running = self._running[user_id] = asyncio.create_task(self._memories.renew(key, user_id))
            running.add_done_callback(lambda _: self._running.pop(user_id))
        await asyncio.shield(running)


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


def _cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(f"{position[0].isoformat()} {position[1]}".encode()).decode()


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
