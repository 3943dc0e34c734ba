"""The routes of ``/conversations``."""

from uuid import UUID

from asyncpg import ForeignKeyViolationError
from chassis.problems import documented
from chassis.requests import takes
from fastapi import APIRouter, Depends

from backend import outbox
from backend.auth.service import unauthorized
from backend.conversations import repository
from backend.conversations.schemas import Conversation, ConversationPage, NewConversation
from backend.dependencies import Backend, Me
from backend.limits.allowances import take
from backend.messages import repository as messages
from backend.messages.service import no_conversation
from backend.pages import DEFAULT_LIMIT, Cursor, Limit, Page

router = APIRouter(
    prefix="/conversations", tags=["conversations"], generate_unique_id_function=lambda route: route.name
)


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(takes("application/json"))],
    responses=documented(401, 413, 415, 422, 500, 503),
)
async def begin_conversation(parts: Backend, me: Me, new: NewConversation) -> Conversation:
    """Begin a conversation with a persona."""
    await take(parts.direct, parts.allowances.conversations, me.user_id)
    try:
        return await repository.add(parts.direct, me.user_id, new.persona)
    except ForeignKeyViolationError:  # erased between the check of the token and here
        raise unauthorized("The access token is not good.", bad_token=True) from None


@router.get("", responses=documented(401, 422, 500, 503))
async def list_conversations(
    parts: Backend, me: Me, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Conversation]:
    """My conversations, newest first."""
    return await repository.page(parts.direct, me.user_id, limit, cursor)


@router.get("/{conversation_id}", responses=documented(401, 404, 422, 500, 503))
async def read_conversation(
    parts: Backend, me: Me, conversation_id: UUID, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ConversationPage:
    """One of my conversations: the newest page of messages first, each page in ascending order."""
    conversation = await repository.find(parts.direct, me.user_id, conversation_id)
    if conversation is None:
        raise no_conversation()
    words = await parts.sealing.of(me.user_id)
    page = await messages.page(parts.direct, words, conversation_id, limit, cursor)
    return ConversationPage(**dict(conversation), messages=page.items, next=page.next)


@router.delete("/{conversation_id}", status_code=204, responses=documented(401, 404, 422, 500, 503))
async def delete_conversation(parts: Backend, me: Me, conversation_id: UUID) -> None:
    """Delete one of my conversations, and have forgotten what was remembered of it."""
    async with parts.direct.begin() as connection:
        if not await repository.remove(connection, me.user_id, conversation_id):
            raise no_conversation()
        forgetting = await outbox.add_forgetting(connection, me.user_id, conversation_id)
    await parts.outbox.deliver_soon(forgetting)
