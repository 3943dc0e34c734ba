"""The route of messages: a person says something, the persona answers, at once or as it is written."""

from collections.abc import AsyncIterator
from uuid import UUID

from chassis.openapi import reference
from chassis.problems import Problem, documented
from chassis.requests import takes
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from backend.dependencies import Backend, Me
from backend.messages.idempotency import IdempotencyKey
from backend.messages.replies import Writing
from backend.messages.schemas import DeltaEvent, MessageEvent, NewMessage, ProblemEvent, Reply

router = APIRouter(
    prefix="/conversations/{conversation_id}/messages",
    tags=["messages"],
    generate_unique_id_function=lambda route: route.name,
)

_EVENT_STREAM = "text/event-stream"
EVENTS = (DeltaEvent, MessageEvent, ProblemEvent)
"""What a stream consists of."""
_STREAM = {
    200: {
        "description": "The reply; as `text/event-stream` it comes as it is written: `delta` events, then a "
        "`message` or an `error` event, and a comment line in each silence of 15 s.",
        "content": {_EVENT_STREAM: {"schema": {"anyOf": [reference(event) for event in EVENTS]}}},
    }
}


@router.post(
    "",
    response_model=Reply,
    dependencies=[Depends(takes("application/json"))],
    responses=_STREAM | documented(401, 404, 409, 413, 415, 422, 500, 503),
)
async def say(
    parts: Backend,
    me: Me,
    request: Request,
    conversation_id: UUID,
    message: NewMessage,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Reply | Response:
    """Say something and get the persona's reply.

    The message is kept whatever becomes of the reply. 503 comes when no word of it was written; a reply that breaks
    off later is stored with the status `interrupted`.
    """
    most = parts.settings.max_message_characters
    if len(message.content) > most:
        raise Problem(413, f"A message has {most} characters at the most.")
    writing = await parts.conversing.say(me.user_id, conversation_id, message.content, idempotency_key)
    if not _wants_events(request):
        return await writing.result()
    await writing.begun()
    return StreamingResponse(_events(writing, request), media_type=_EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


def _wants_events(request: Request) -> bool:
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(part.partition(";")[0].strip() == _EVENT_STREAM for part in accepted)


async def _events(writing: Writing, request: Request) -> AsyncIterator[str]:
    async for piece in writing.follow():
        yield _event(DeltaEvent(content=piece)) if piece else ": still writing\n\n"
    outcome = writing.outcome
    if isinstance(outcome, Reply) and outcome.status == "complete":
        yield _event(MessageEvent(message=outcome))
        return
    problem = outcome if isinstance(outcome, Problem) else Problem(503, "The reply broke off; what came is kept.")
    yield _event(ProblemEvent(problem=problem.document(request)))


def _event(event: BaseModel) -> str:
    return f"data: {event.model_dump_json(exclude_none=True)}\n\n"
