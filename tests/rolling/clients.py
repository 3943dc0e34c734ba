"""People who go on using Sanctum while it is replaced: they read, send messages and follow streams."""

import asyncio
import itertools
import json
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from tests.support.canaries import remember, remember_all
from tests.support.person import API, PASSWORD

SLOWLY = "slowly, please"
"""What a message ends with whose reply is to take its time."""


@dataclass
class Told:
    """What clients were told: how many requests were answered as they should be, and all that went otherwise."""

    answered: int = 0
    streams: int = 0
    failures: list[str] = field(default_factory=list[str])
    messages: list[str] = field(default_factory=list[str])
    """Ids of all messages that were answered, and of their replies."""


class Client:
    """One person with one conversation, whose every request is noted in ``told``."""

    def __init__(self, url: str, ca: Path, told: Told) -> None:
        self._url = url
        self._told = told
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca), limit=0)
        self._http = aiohttp.ClientSession(url, connector=connector, timeout=aiohttp.ClientTimeout(total=60))
        self._conversation = ""

    async def register(self) -> None:
        """Make an account, sign in and begin a conversation."""
        email = f"{uuid4()}@example.com"
        await self._call("POST", "/auth/register", 201, json={"email": email, "password": PASSWORD})
        token = await self._call("POST", "/auth/token", 200, data={"username": email, "password": PASSWORD})
        self._http.headers["Authorization"] = f"Bearer {token['access_token']}"
        made = await self._call("POST", "/conversations", 201, json={"persona": "Gem"})
        self._conversation = f"/conversations/{made['conversation_id']}"

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def go_on(self, enough: asyncio.Event, pause: float) -> None:
        """Use everything by turns until it is enough; ``pause`` is between two requests, in seconds."""
        for number in itertools.count():
            if enough.is_set():
                return
            if number % 30 == 0:
                await self.note(self.say("What next?"))
            elif number % 30 == 15:
                await self.note(self.stream("And then?"))
            elif number % 30 == 5:
                await self.note(self._call("GET", "/readyz", 200, prefix=""))
            else:
                await self.note(self._call("GET", ("/conversations", self._conversation)[number % 2], 200))
            await asyncio.sleep(pause)

    async def note(self, request: Coroutine[Any, Any, object]) -> None:
        """Make a request and note how it went."""
        try:
            await request
        except (aiohttp.ClientError, TimeoutError, OSError, AssertionError) as error:
            self._told.failures.append(f"{type(error).__name__}: {error}")
        else:
            self._told.answered += 1

    async def read(self) -> None:
        """Ask for something that anybody may ask for."""
        await self._call("GET", "/healthz", 200, prefix="")

    async def say(self, content: str) -> None:
        """Send a message and wait for the whole reply."""
        self._keep(await self._call("POST", f"{self._conversation}/messages", 200, json={"content": content}))

    async def stream(self, content: str, begun: asyncio.Event | None = None) -> None:
        """Send a message and follow its reply to the end; ``begun`` is set when there is something to show."""
        events: list[dict[str, Any]] = []
        headers = {"Accept": "text/event-stream"}
        path = f"{API}{self._conversation}/messages"
        remember(content)
        async with self._http.post(path, json={"content": content}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                if line.startswith(b"data:"):
                    events.append(json.loads(line[5:]))
                    if begun:
                        begun.set()
        assert [event["type"] for event in events[-1:]] == ["message"], f"cut off after {events[-1:]}"
        text = "".join(event["content"] for event in events[:-1])
        assert text == events[-1]["message"]["content"]
        self._told.streams += 1
        self._keep(events[-1]["message"])

    def _keep(self, reply: dict[str, Any]) -> None:
        assert reply["status"] == "complete", reply
        remember_all(reply)
        self._told.messages += (reply["user_message_id"], reply["message_id"])

    async def _call(self, method: str, path: str, status: int, *, prefix: str = API, **body: Any) -> dict[str, Any]:
        remember_all(body)
        async with self._http.request(method, prefix + path, **body) as answer:
            text = await answer.text()
            assert answer.status == status, f"{answer.status} {text}"
            told = json.loads(text)
            remember_all(told)
            return told
