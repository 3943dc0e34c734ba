"""Writes a person's export as JSON, a page at a time, so that a long life takes no more memory than a short one."""

from collections.abc import AsyncIterator
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.ai_core import Memory
from backend.conversations import repository as conversations
from backend.conversations.schemas import Conversation
from backend.messages import repository as messages
from backend.messages.schemas import Message
from backend.users.schemas import ExportedAccount

PAGE = 100
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


async def write(
    autocommit: AsyncEngine, account: ExportedAccount, memories: AsyncIterator[Memory]
) -> AsyncIterator[bytes]:
    """The text of an ``Export``."""
    yield b'{"account":' + account.model_dump_json().encode() + b',"memories":['
    async for part in _separated(memory.model_dump_json().encode() async for memory in memories):
        yield part
    yield b'],"conversations":['
    async for part in _separated(_conversations(autocommit, account.user_id)):
        yield part
    yield b"]}"


async def _conversations(autocommit: AsyncEngine, user_id: UUID) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        async with autocommit.connect() as connection:
            page = await conversations.page(connection, user_id, PAGE, cursor)
        for conversation in page.items:
            yield await _conversation(autocommit, user_id, conversation)
        if (cursor := page.next) is None:
            return


async def _conversation(autocommit: AsyncEngine, user_id: UUID, conversation: Conversation) -> bytes:
    pages: list[bytes] = []
    cursor: str | None = None
    while True:
        async with autocommit.connect() as connection:
            page = await messages.page(connection, user_id, conversation.conversation_id, PAGE, cursor)
        pages.append(b",".join(_MESSAGE.dump_json(message) for message in page.items))
        if (cursor := page.next) is None:
            break
    inside = b",".join(page for page in reversed(pages) if page)
    return conversation.model_dump_json().encode()[:-1] + b',"messages":[' + inside + b"]}"


async def _separated(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    separator = b""
    async for part in parts:
        yield separator + part
        separator = b","
