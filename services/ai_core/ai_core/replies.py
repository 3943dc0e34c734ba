"""``POST /v1/replies``: a persona's reply, streamed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from chassis.logs import log
from chassis.openapi import reference
from chassis.problems import Problem, documented
from chassis.requests import takes
from chassis.sealing.key_service import CannotUnwrap
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ai_core.core import Core
from ai_core.memory.store import Memory
from ai_core.memory_key import WrappedKey, not_theirs
from ai_core.models.protocol import ModelError, Turn
from ai_core.personas import PERSONAS, PersonaName
from ai_core.prompt import build_prompt
from ai_core.text import Text

RETRY_SECONDS = 5
MEMORY_SECONDS = 2
"""How long a person waits for what is remembered of them; after that the reply is written without."""


class ReplyRequest(BaseModel):
    """What the person says, to whom, and what was said just before (without ``content``, oldest first)."""

    user_id: UUID
    persona: PersonaName
    history: list[Turn] = Field(max_length=1000)
    content: Annotated[Text, Field(pattern=r"\S")]


class Delta(BaseModel):
    """A piece of the reply."""

    type: Literal["delta"] = "delta"
    content: str


class Done(BaseModel):
    """The reply is complete."""

    type: Literal["done"] = "done"


class Failed(BaseModel):
    """The reply breaks off here."""

    type: Literal["error"] = "error"
    detail: str


_EVENT_STREAM = "text/event-stream"
EVENTS = (Delta, Done, Failed)
"""What a stream consists of."""
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {_EVENT_STREAM: {"schema": {"anyOf": [reference(event) for event in EVENTS]}}}}
}


def router(core: Core) -> APIRouter:
    """The route, over ``core``."""
    routes = APIRouter(tags=["replies"])

    async def begun(
        request: Request, body: ReplyRequest, wrapped: WrappedKey
    ) -> AsyncGenerator[tuple[str, AsyncGenerator[str]]]:
        """The first piece of the reply, and the rest of it: the status is decided when the first is there.

        Raises:
            Problem: 503 when there is none, 422 when the key is not this person's.
        """
        memories = await _recall(core, body, wrapped)
        prompt = await asyncio.to_thread(
            build_prompt,
            PERSONAS[body.persona],
            body.content,
            memories=memories,
            history=body.history,
            budget=core.prompt_tokens,
            tokens=core.tokens,
        )
        async with aclosing(core.model.reply(prompt)) as deltas:
            try:
                first = await _unless_gone(request, deltas)
            except ModelError as error:
                log("reply.no_first_piece", "warning", error)
                after = str(round(error.retry_after or RETRY_SECONDS))
                raise Problem(503, "The language model does not answer.", headers={"Retry-After": after}) from error
            yield first, deltas

    @routes.post(
        "/v1/replies",
        response_class=StreamingResponse,
        dependencies=[Depends(takes("application/json"))],
        responses=_STREAM | documented(413, 415, 422, 503),
    )
    async def reply(
        begin: Annotated[tuple[str, AsyncGenerator[str]], Depends(begun)],
    ) -> StreamingResponse:
        """Reply to what the person says: events of type ``delta``, then one of type ``done`` or ``error``."""
        return StreamingResponse(_events(*begin), media_type=_EVENT_STREAM)

    return routes


async def _recall(core: Core, body: ReplyRequest, wrapped: bytes) -> list[Memory] | None:
    """What is remembered that has to do with what the person says; ``None`` where that cannot be found out in time.

    Raises:
        Problem: 422 when the key is not this person's.
    """
    try:
        async with asyncio.timeout(MEMORY_SECONDS):
            key = await core.keys.of(body.user_id, wrapped)
            return await core.memories.recall(key, body.user_id, body.content, datetime.now(UTC))
    except CannotUnwrap:
        raise not_theirs() from None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the memory, a reply needs none
        log("reply.without_memory", "error", error, user_id=body.user_id)
        return None


async def _events(first: str, rest: AsyncGenerator[str]) -> AsyncIterator[str]:
    # No silence is longer than the model's limit between two pieces, so nothing has to keep the connection open.
    yield _event(Delta(content=first))
    try:
        async for delta in rest:
            yield _event(Delta(content=delta))
    except ModelError as error:
        log("reply.broke_off", "warning", error)
        yield _event(Failed(detail="The language model broke off."))
    else:
        yield _event(Done())


def _event(event: BaseModel) -> str:
    return f"data: {event.model_dump_json()}\n\n"


async def _unless_gone(request: Request, deltas: AsyncGenerator[str]) -> str:
    """The first piece, unless the caller goes away before: then the model must not work on."""
    piece = asyncio.ensure_future(anext(deltas))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((piece, gone), return_when=asyncio.FIRST_COMPLETED)
        if piece.done():
            return piece.result()
        raise Problem(503, "The caller went away.")
    finally:
        gone.cancel()
        piece.cancel()
        await asyncio.wait((piece, gone))


async def _gone(request: Request) -> None:
    # The body has been read; what comes after it can only be the end of the connection.
    while (await request.receive())["type"] != "http.disconnect":
        pass
