"""The client of the AI core: replies as they are written, and what is to be remembered or forgotten.

VPC Lattice ends every connection after ten minutes, so a pool lives five and a request less than another five.
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from chassis.http_client import aiohttp
from chassis.problems import InvalidValue
from chassis.signing import Signer
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from yarl import URL

from backend.settings import AiCoreSettings

POOL_SECONDS = 300
KEEP_ALIVE_SECONDS = 30
"""Shorter than the server's 75, so that it is never the server who closes first."""
CONNECT_SECONDS = 5
REPLY_SECONDS = 240
SILENCE_SECONDS = 60
"""Longer than the AI core gives a model for the first piece, and than it lets it be silent between two."""
LAST_SECONDS = 0.5
"""How long the end of a response may follow the end of the reply, for the connection to be used again."""
CALL_SECONDS = 10
RENEWAL_SECONDS = 240
"""Some thousand memories may have to be turned into vectors anew."""
PAGE = 100


class Unavailable(Exception):
    """The AI core did not do what was asked; ``retry_after`` says in seconds when to ask again."""

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class BadCursor(ValueError):
    """No page of the memories has given this cursor."""


class Turn(BaseModel):
    """One message of the conversation so far."""

    sender: Literal["user", "ai"]
    content: str


class Question(BaseModel):
    """What a reply is wanted to; ``history`` is the turns before, oldest first."""

    user_id: UUID
    persona: str
    history: list[Turn]
    content: str


class RememberedMessage(BaseModel):
    """A message that the memory is to keep."""

    message_id: UUID
    sender: Literal["user", "ai"]
    content: str
    created_at: datetime


class Memory(RememberedMessage):
    """Something the memory has kept."""

    memory_id: UUID
    conversation_id: UUID


class Memories(BaseModel):
    """Some of what is remembered of a person, oldest first; ``next`` is the cursor of what follows."""

    items: list[Memory]
    next: str | None


class _Refusal(BaseModel):
    errors: list[InvalidValue] = []


class _Delta(BaseModel):
    type: Literal["delta"]
    content: str


class _Done(BaseModel):
    type: Literal["done"]


class _Error(BaseModel):
    type: Literal["error"]


_EVENT: TypeAdapter[_Delta | _Done | _Error] = TypeAdapter(
    Annotated[_Delta | _Done | _Error, Field(discriminator="type")]
)
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError)
"""aiohttp raises ValueError for an overlong line and RuntimeError when the client was closed."""


class AiCore:
    """Calls the AI core as the backend: with its client certificate, or signed with its role."""

    def __init__(self, settings: AiCoreSettings) -> None:
        self._url = settings.ai_core_url.rstrip("/")
        self._tls = ssl.create_default_context(cafile=settings.ai_core_ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.ai_core_auth == "mtls" and settings.ai_core_client_cert_file:
            self._tls.load_cert_chain(settings.ai_core_client_cert_file, settings.ai_core_client_key_file)
        self._signer = Signer("vpc-lattice-svcs", sign_payload=False) if settings.ai_core_auth == "sigv4" else None
        self._pool: aiohttp.ClientSession | None = None
        self._pool_ends = 0.0
        self._old: set[asyncio.Task[None]] = set()
        self._closed = False

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for task in self._old:
            task.cancel()
        await asyncio.gather(*self._old, return_exceptions=True)
        if self._pool:
            await self._pool.close()

    async def reply(self, question: Question, memory_key: bytes) -> AsyncGenerator[str, None]:
        """The reply, piece by piece; ``memory_key`` is the person's (see ``backend.keys.person_keys``).

        Raises:
            Unavailable: it did not begin, or broke off.
        """
        limits = aiohttp.ClientTimeout(total=REPLY_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        try:
            async with self._request("POST", "/v1/replies", question, limits, memory_key) as answer:
                _expect(answer, 200)
                async for line in answer.content:
                    if not line.startswith(b"data:"):
                        continue
                    match _EVENT.validate_json(line[5:]):
                        case _Delta(content=content):
                            if content:
                                yield content
                        case _Done():
                            with suppress(TimeoutError):
                                async with asyncio.timeout(LAST_SECONDS):
                                    await answer.content.read()
                            return
                        case _Error():
                            break
        except _FAILURES as error:
            raise Unavailable from error
        raise Unavailable

    async def remember(
        self, user_id: UUID, conversation_id: UUID, messages: list[RememberedMessage], memory_key: bytes
    ) -> None:
        """Put messages into the memory, unless they were forgotten meanwhile; doing so again changes nothing.

        Raises:
            Unavailable: it is not known to have been done.
        """
        body = _Remember(conversation_id=conversation_id, messages=messages)
        await self._call("PUT", f"/v1/users/{user_id}/memories", body, 204, 410, memory_key=memory_key)

    async def forget(self, user_id: UUID, conversation_id: UUID | None) -> None:
        """Forget a conversation, or with ``None`` a whole person, for ever; doing so again changes nothing.

        Raises:
            Unavailable: it is not known to have been done.
        """
        part = f"/conversations/{conversation_id}" if conversation_id else ""
        await self._call("DELETE", f"/v1/users/{user_id}{part}/memories", None, 204)

    async def memories(self, user_id: UUID, memory_key: bytes) -> AsyncIterator[Memory]:
        """All that is remembered of a person.

        Raises:
            Unavailable: it could not be read to the end.
        """
        cursor: str | None = None
        while True:
            page = await self.memories_page(user_id, PAGE, cursor, memory_key)
            for memory in page.items:
                yield memory
            if (cursor := page.next) is None:
                return

    async def memories_page(self, user_id: UUID, limit: int, cursor: str | None, memory_key: bytes) -> Memories:
        """What is remembered of a person, from ``cursor`` on.

        Raises:
            BadCursor: ``cursor`` is not the ``next`` of a page.
            Unavailable: it could not be read.
        """
        query = str(URL.build(query={"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})))
        path = f"/v1/users/{user_id}/memories{query}"
        status, raw = await self._call("GET", path, None, 200, 422, memory_key=memory_key)
        try:
            if status == HTTPStatus.OK:
                return Memories.model_validate_json(raw)
            refused = _Refusal.model_validate_json(raw)
        except ValidationError as error:
            raise Unavailable from error
        if [wrong.pointer for wrong in refused.errors] == ["/query/cursor"]:
            raise BadCursor
        raise Unavailable

    async def forget_memory(self, user_id: UUID, memory_id: UUID) -> bool:
        """Forget one memory for ever; whether the person had it.

        Raises:
            Unavailable: it is not known to have been done.
        """
        status, _ = await self._call("DELETE", f"/v1/users/{user_id}/memories/{memory_id}", None, 204, 404)
        return status != HTTPStatus.NOT_FOUND

    async def memory_format(self) -> int:
        """Which form memories have that the AI core writes now; any other number is another form.

        Raises:
            Unavailable: it does not say.
        """
        _, raw = await self._call("GET", "/v1/memories/format", None, 200)
        return _read_format(raw)

    async def renew_memories(self, user_id: UUID, memory_key: bytes) -> int:
        """Bring all that is remembered of a person to the form it is written in now; which one that is.

        Raises:
            Unavailable: it is not known to have been done; what was done stays done.
        """
        path = f"/v1/users/{user_id}/memories/renewal"
        _, raw = await self._call("POST", path, None, 200, memory_key=memory_key, seconds=RENEWAL_SECONDS)
        return _read_format(raw)

    async def _call(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        *statuses: int,
        memory_key: bytes | None = None,
        seconds: float = CALL_SECONDS,
    ) -> tuple[int, bytes]:
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._request(method, path, body, limits, memory_key) as answer:
                _expect(answer, *statuses)
                return answer.status, await answer.read()
        except _FAILURES as error:
            raise Unavailable from error

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        limits: aiohttp.ClientTimeout,
        memory_key: bytes | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        url = self._url + path
        headers = await self._signer.headers(method, url) if self._signer else {}
        if memory_key is not None:
            headers["Memory-Key"] = base64.b64encode(memory_key).decode()
        data: bytes | None = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = body.model_dump_json().encode()
        # What was signed is what must be sent: the address is not to be written in another way.
        address = URL(url, encoded=True)

        async def send() -> aiohttp.ClientResponse:
            return await self.pool().request(
                method, address, data=data, headers=headers, timeout=limits, allow_redirects=False
            )

        try:
            answer = await send()
        except aiohttp.ServerDisconnectedError:
            # A kept connection had just been closed. Asking again is safe, also for a reply: it leaves nothing behind.
            answer = await send()
        async with answer:
            yield answer

    def pool(self) -> aiohttp.ClientSession:
        """The connections that new requests use."""
        if self._closed:
            raise RuntimeError("closed")
        now = asyncio.get_running_loop().time()
        if self._pool is None or now >= self._pool_ends:
            if self._pool:
                task = asyncio.create_task(_close_later(self._pool))
                self._old.add(task)
                task.add_done_callback(self._old.discard)
            connector = aiohttp.TCPConnector(ssl=self._tls, keepalive_timeout=KEEP_ALIVE_SECONDS, limit=0)
            self._pool = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            self._pool_ends = now + POOL_SECONDS
        return self._pool


class _Format(BaseModel):
    format: int = Field(ge=0, le=2**15 - 1)


class _Remember(BaseModel):
    conversation_id: UUID
    messages: list[RememberedMessage]


def _read_format(raw: bytes) -> int:
    try:
        return _Format.model_validate_json(raw).format
    except ValidationError as error:
        raise Unavailable from error


def _expect(answer: aiohttp.ClientResponse, *statuses: int) -> None:
    if answer.status not in statuses:
        sent = answer.headers.get("Retry-After", "")
        raise Unavailable(min(int(sent), 300) if sent.isascii() and sent.isdigit() else 5)


async def _close_later(pool: aiohttp.ClientSession) -> None:
    """Close a retired pool when its last request has ended."""
    try:
        await asyncio.sleep(REPLY_SECONDS)
    finally:
        await pool.close()
