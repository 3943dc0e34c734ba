"""Between two pieces that are far apart the stream shows that it lives."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import fastapi.routing
import httpx
import pytest
from ai_core.app import build
from ai_core.settings import Settings
from chassis.settings import read_settings

from tests.support.openai_server import OpenAIServer, chunk, streaming

pytestmark = pytest.mark.anyio


def test_a_comment_goes_out_every_15_seconds() -> None:
    """VPC Lattice closes a connection on which nothing was sent for a minute."""
    assert fastapi.routing._PING_INTERVAL == 15  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]


async def test_a_model_that_pauses_does_not_leave_the_stream_silent(
    environment: dict[str, str], model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.05)

    async def events() -> AsyncIterator[bytes]:
        yield chunk("first")
        await asyncio.sleep(0.5)
        yield chunk("last", "stop")

    model.scripts = [streaming(events)]
    app = build(read_settings(Settings))
    asked = {"user_id": str(uuid4()), "persona": "Gem", "history": list[str](), "content": "Hello"}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://ai-core") as backend:
            lines = (await backend.post("/v1/replies", json=asked)).text.splitlines()
    between = lines[lines.index('data: {"type":"delta","content":"first"}') : -4]
    assert between.count(": ping") >= 2
    assert 'data: {"type":"done"}' in lines
