"""Somebody who follows a reply notes all that is not a whole one: the steps of the rehearsal rest on it."""

import json
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rehearsal.authority import Authority
from rehearsal.people import Follower
from tests.rolling.clients import Told
from tests.support.person import API

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """What people run on."""
    return "asyncio"


def _ended(content: str = "Far away.", status: str = "complete") -> dict[str, Any]:
    ids = {"message_id": str(uuid4()), "user_message_id": str(uuid4())}
    return {"type": "message", "message": {"content": content, "status": status, **ids}}


WORDS = [{"type": "delta", "content": "Far "}, {"type": "delta", "content": "away."}]


async def _told(folder: Path, events: list[dict[str, Any]]) -> tuple[Told, list[str]]:
    """What somebody notes whose one reply is ``events``."""
    enough = threading.Event()

    async def begin(_: web.Request) -> web.Response:
        return web.json_response({"conversation_id": "1"}, status=201)

    async def stream(request: web.Request) -> web.StreamResponse:
        enough.set()
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for event in events:
            await answer.write(f"data: {json.dumps(event)}\n\n".encode())
        return answer

    app = web.Application()
    app.router.add_post(f"{API}/conversations", begin)
    app.router.add_post(f"{API}/conversations/1/messages", stream)
    authority = Authority(folder / "authority")
    server = TestServer(app, scheme="https", host="localhost")
    await server.start_server(ssl=authority.server("localhost"))
    told, followed = Told(), list[str]()
    somebody = Follower(str(server.make_url("")), authority.certificate, told, followed)
    await somebody.follow(enough)
    await somebody.close()
    await server.close()
    return told, followed


async def test_a_whole_reply_is_kept(tmp_path: Path) -> None:
    told, followed = await _told(tmp_path, [*WORDS, _ended()])
    assert (told.failures, told.streams, followed) == ([], 1, ["Far away."])


@pytest.mark.parametrize(
    "events",
    [
        WORDS,
        [*WORDS, {"type": "error"}],
        [WORDS[0], _ended()],
        [*WORDS, _ended(status="interrupted")],
        [*WORDS, _ended("Far")],
    ],
    ids=["cut off", "broken off", "a piece lost", "interrupted", "other words stored"],
)
async def test_a_reply_that_is_not_whole_is_a_failure(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    told, followed = await _told(tmp_path, events)
    assert (len(told.failures), followed) == (1, [])
