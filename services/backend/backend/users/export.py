"""Writes a person's export as JSON, a page at a time, so that a long life takes no more memory than a short one."""

import asyncio
from collections.abc import AsyncIterator

from chassis.direct import Direct
from pydantic import TypeAdapter

from backend.ai_core import Memory
from backend.conversations import repository as conversations
from backend.conversations.schemas import Conversation
from backend.messages import repository as messages
from backend.messages.schemas import Message
from backend.messages.words import Words
from backend.users.schemas import ExportedAccount

PAGE = 100
PAUSE_SECONDS = 0.02
"""After each page, so that a long export takes a small part of the process's time and others are served between."""
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


async def write(
    direct: Direct, words: Words, account: ExportedAccount, memories: AsyncIterator[Memory]
) -> AsyncIterator[bytes]:
    """The text of an ``Export``."""
    yield b'{"account":' + account.model_dump_json().encode() + b',"memories":['
    async for part in _separated(memory.model_dump_json().encode() async for memory in memories):
        yield part
    yield b'],"conversations":['
    async for part in _separated(_conversations(direct, words)):
        yield part
    yield b"]}"


async def _conversations(direct: Direct, words: Words) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        page = await conversations.page(direct, words.user_id, PAGE, cursor)
        for conversation in page.items:
            yield await _conversation(direct, words, conversation)
        if (cursor := page.next) is None:
            return


async def _conversation(direct: Direct, words: Words, conversation: Conversation) -> bytes:
    pages: list[bytes] = []
    cursor: str | None = None
    while True:
        page = await messages.page(direct, words, conversation.conversation_id, PAGE, cursor)
        pages.append(b",".join(_MESSAGE.dump_json(message) for message in page.items))
        await asyncio.sleep(PAUSE_SECONDS)
        if (cursor := page.next) is None:
            break
    inside = b",".join(page for page in reversed(pages) if page)
    return conversation.model_dump_json().encode()[:-1] + b',"messages":[' + inside + b"]}"


async def _separated(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    separator = b""
    async for part in parts:
        yield separator + part
        separator = b","
