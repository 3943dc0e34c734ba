"""A server with the AI core's API whose replies are scripted: it can be slow, break off, hang or be away.

It asks for a client certificate as the real one does, and keeps memories and tombstones in dictionaries.
"""

import asyncio
import base64
import json
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

End = Literal["done", "error", "break", "hang", "garbage"]


@dataclass
class Script:
    """What the next replies are: ``pieces``, then how they end; or a status other than 200."""

    pieces: tuple[str, ...] = ("Tell ", "me ", "more.")
    end: End = "done"
    status: int = 200
    retry_after: int = 7
    hold: threading.Event | None = None
    """After the first piece, wait until it is set."""


@dataclass
class Memory:
    """What one person's memory holds."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    forgotten: bool = False
    forgotten_conversations: set[str] = field(default_factory=set[str])
    forgotten_memories: set[str] = field(default_factory=set[str])
    hold: threading.Event | None = None
    """It is read out, and something of it forgotten, when that is set."""
    reads: int = 0
    """How often that was asked for."""
    keys: set[bytes] = field(default_factory=set[bytes])
    """The keys that calls about this person have brought."""
    format: int = 0
    """Which form it was brought to."""


class AiCoreStandIn:
    """The server, in a thread of its own."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.port = 0
        self.script = Script()
        self.memory_away = False
        self.forgetting: set[str] = set()
        """Of whom something is being forgotten."""
        self.format = 1
        """In which it writes memories now."""
        self.renewals: list[str] = []
        """Whose memories were renewed, in this order."""
        self.memory_refuses = ""
        """What of a question to the memory is wrong, if anything is: a pointer."""
        self.questions: list[dict[str, Any]] = []
        self.puts = 0
        self.memories: dict[str, Memory] = {}
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def memory(self, user_id: str) -> Memory:
        """The memory of a person."""
        return self.memories.setdefault(user_id, Memory())

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/replies", self._reply)
        app.router.add_put("/v1/users/{user}/memories", self._remember)
        app.router.add_get("/v1/users/{user}/memories", self._list)
        app.router.add_delete("/v1/users/{user}/memories", self._forget)
        app.router.add_get("/v1/memories/format", self._format)
        app.router.add_post("/v1/users/{user}/memories/renewal", self._renew)
        app.router.add_delete("/v1/users/{user}/memories/{memory}", self._forget_one)
        app.router.add_delete("/v1/users/{user}/conversations/{conversation}/memories", self._forget)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()
        unfinished = asyncio.all_tasks() - {asyncio.current_task()}
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        script = self.script
        question = await request.json()
        self._take_key(request, question["user_id"])
        self.questions.append(question)
        if script.status != 200:
            return web.json_response({}, status=script.status, headers={"Retry-After": str(script.retry_after)})
        if not script.pieces and script.end == "hang":
            await asyncio.sleep(60)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for number, piece in enumerate(script.pieces):
            await answer.write(_event(type="delta", content=piece))
            while number == 0 and script.hold and not script.hold.is_set():  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.01)
        await self._end(script.end, request, answer)
        return answer

    @staticmethod
    async def _end(end: End, request: web.Request, answer: web.StreamResponse) -> None:
        match end:
            case "done":
                await answer.write(b": a comment\n\n" + _event(type="done"))
            case "error":
                await answer.write(_event(type="error", detail="the model broke off"))
            case "garbage":
                await answer.write(b"data: {nonsense\n\n")
            case "break":
                if request.transport:
                    request.transport.abort()
            case "hang":
                await asyncio.sleep(60)

    async def _remember(self, request: web.Request) -> web.Response:
        self.puts += 1
        if self.memory_away:
            return web.json_response({}, status=503)
        body = await request.json()
        memory = self._take_key(request, request.match_info["user"])
        if memory.forgotten or body["conversation_id"] in memory.forgotten_conversations:
            return web.json_response({}, status=410)
        for message in body["messages"]:
            if message["message_id"] not in memory.forgotten_memories:
                memory.messages[message["message_id"]] = {**message, "conversation_id": body["conversation_id"]}
        return web.Response(status=204)

    async def _list(self, request: web.Request) -> web.Response:
        if self.memory_away:
            return web.json_response({}, status=503)
        memory = self._take_key(request, request.match_info["user"])
        memory.reads += 1
        while memory.hold and not memory.hold.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        found = list(memory.messages.values())
        cursor, limit = request.query.get("cursor", "0"), int(request.query["limit"])
        if wrong := self.memory_refuses or ("" if cursor.isascii() and cursor.isdecimal() else "/query/cursor"):
            return web.json_response({"errors": [{"pointer": wrong, "detail": "must be another"}]}, status=422)
        start = int(cursor)
        items = [{**message, "memory_id": message["message_id"]} for message in found[start : start + limit]]
        end = start + limit
        return web.json_response({"items": items, "next": str(end) if end < len(found) else None})

    async def _forget_one(self, request: web.Request) -> web.Response:
        if self.memory_away:
            return web.json_response({}, status=503)
        memory, identifier = self.memory(request.match_info["user"]), request.match_info["memory"]
        known = memory.messages.pop(identifier, None)
        if known:
            memory.forgotten_memories.add(identifier)
        return web.Response(status=204 if known else 404)

    async def _format(self, _: web.Request) -> web.Response:
        return web.json_response({}, status=503) if self.memory_away else web.json_response({"format": self.format})

    async def _renew(self, request: web.Request) -> web.Response:
        if self.memory_away:
            return web.json_response({}, status=503)
        user = request.match_info["user"]
        self._take_key(request, user).format = self.format
        self.renewals.append(user)
        return web.json_response({"format": self.format})

    def _take_key(self, request: web.Request, user_id: str) -> Memory:
        """The memory that a call is about; one that brings no key is refused as the real server does."""
        sent = request.headers.get("Memory-Key")
        if sent is None:
            raise web.HTTPUnprocessableEntity
        memory = self.memory(user_id)
        memory.keys.add(base64.b64decode(sent, validate=True))
        return memory

    async def _forget(self, request: web.Request) -> web.Response:
        if self.memory_away:
            return web.json_response({}, status=503)
        memory, conversation = self.memory(request.match_info["user"]), request.match_info.get("conversation")
        self.forgetting.add(request.match_info["user"])
        while memory.hold and not memory.hold.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        self.forgetting.discard(request.match_info["user"])
        if conversation is None:
            memory.forgotten = True
            memory.messages.clear()
        else:
            memory.forgotten_conversations.add(conversation)
            kept = {i: m for i, m in memory.messages.items() if m["conversation_id"] != conversation}
            memory.messages = kept
        return web.Response(status=204)


def _event(**event: str) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()
