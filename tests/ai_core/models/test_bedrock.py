"""The Bedrock client against a server on this machine that speaks Bedrock's own protocol over HTTP."""

import asyncio
import json
import threading
from binascii import crc32
from collections.abc import AsyncIterator
from contextlib import aclosing
from struct import pack
from typing import Any
from urllib.parse import unquote

import pytest
from ai_core.models.bedrock import BedrockModel
from ai_core.models.protocol import ModelFailed, ModelUnavailable, Prompt, Turn
from ai_core.settings import ModelSettings
from aiohttp import web

from local.postgres import free_port

pytestmark = pytest.mark.anyio
MODEL = "eu.amazon.nova-lite-v1:0"
PROMPT = Prompt(
    system="Be kind.",
    turns=(Turn(sender="user", content="Hi"), Turn(sender="ai", content="Hello"), Turn(sender="user", content="Why?")),
)


def message(kind: str, name: str, payload: dict[str, Any]) -> bytes:
    """One message of ``application/vnd.amazon.eventstream``: lengths, their CRC, headers, payload, CRC."""
    types = {"event": ":event-type", "exception": ":exception-type"}
    headers = {":message-type": kind, types[kind]: name, ":content-type": "application/json"}
    head = b"".join(
        pack("!B", len(key)) + key.encode() + pack("!BH", 7, len(value)) + value.encode()
        for key, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = pack("!II", 16 + len(head) + len(body), len(head))
    prelude += pack("!I", crc32(prelude))
    whole = prelude + head + body
    return whole + pack("!I", crc32(whole))


def word(text: str) -> bytes:
    return message("event", "contentBlockDelta", {"delta": {"text": text}, "contentBlockIndex": 0})


START = message("event", "messageStart", {"role": "assistant"})
STOP = message("event", "messageStop", {"stopReason": "end_turn"})


class Bedrock:
    """Answers ``ConverseStream`` with ``messages``, or with an error; then hangs if told to."""

    def __init__(self) -> None:
        self.messages = [START, word("I "), word("hear."), STOP]
        self.error: tuple[int, str] | None = None
        self.hangs = False
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.cut_off = threading.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((unquote(request.match_info["model"]), await request.json()))
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")
        if self.error:
            status, code = self.error
            return web.json_response({"message": "quotes Why?"}, status=status, headers={"x-amzn-errortype": code})
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        for part in self.messages:
            await response.write(part)
        try:
            await asyncio.sleep(60 if self.hangs else 0)
        except asyncio.CancelledError:
            self.cut_off.set()
            raise
        return response


@pytest.fixture
async def bedrock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bedrock]:
    server, port = Bedrock(), free_port()
    app = web.Application()
    app.router.add_post("/model/{model}/converse-stream", server.answer)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    for name, value in {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"http://127.0.0.1:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    await runner.cleanup()


@pytest.fixture
async def model(bedrock: Bedrock) -> AsyncIterator[BedrockModel]:
    del bedrock  # it only has to be there
    model = BedrockModel(
        ModelSettings(
            model_provider="bedrock",
            model_name=MODEL,
            model_context_tokens=2048,
            model_reply_tokens=99,
            model_timeout_seconds=5,
            model_concurrency=2,
        )
    )
    yield model
    await model.close()


async def words_of(model: BedrockModel) -> list[str]:
    async with aclosing(model.reply(PROMPT)) as words:
        return [word async for word in words]


async def test_a_reply_streams(model: BedrockModel, bedrock: Bedrock) -> None:
    assert await words_of(model) == ["I ", "hear."]
    assert bedrock.requests == [
        (
            MODEL,
            {
                "system": [{"text": "Be kind."}],
                "messages": [
                    {"role": "user", "content": [{"text": "Hi"}]},
                    {"role": "assistant", "content": [{"text": "Hello"}]},
                    {"role": "user", "content": [{"text": "Why?"}]},
                ],
                "inferenceConfig": {"maxTokens": 99},
            },
        )
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "ThrottlingException"),
        (503, "ServiceUnavailableException"),
        (500, "InternalServerException"),
        (408, "ModelTimeoutException"),
    ],
)
async def test_what_passes_may_be_tried_again(model: BedrockModel, bedrock: Bedrock, status: int, code: str) -> None:
    bedrock.error = (status, code)
    with pytest.raises(ModelUnavailable):
        await words_of(model)
    assert len(bedrock.requests) == 1, "whether to ask again is decided in one place, and not here"


@pytest.mark.parametrize(("status", "code"), [(400, "ValidationException"), (403, "AccessDeniedException")])
async def test_a_refusal_is_final_and_not_quoted(model: BedrockModel, bedrock: Bedrock, status: int, code: str) -> None:
    bedrock.error = (status, code)
    with pytest.raises(ModelFailed) as caught:
        await words_of(model)
    assert "Why" not in str(caught.value)


async def test_nobody_there_may_be_tried_again(
    model: BedrockModel, monkeypatch: pytest.MonkeyPatch, bedrock: Bedrock
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{free_port()}")
    absent = BedrockModel(
        ModelSettings(
            model_provider="bedrock",
            model_name=MODEL,
            model_context_tokens=2048,
            model_reply_tokens=99,
            model_timeout_seconds=5,
            model_concurrency=2,
        )
    )
    with pytest.raises(ModelUnavailable):
        await words_of(absent)
    await absent.close()
    assert await words_of(model)
    assert len(bedrock.requests) == 1


@pytest.mark.parametrize(
    "messages",
    [
        [START, word("Once")],
        [START, word("Once"), message("exception", "throttlingException", {"message": "quotes Why?"})],
        [START, word("Once"), word("upon")[:-3]],
        [START, word("Once"), word("upon")[:-1] + b"x"],
        [START, word("Once"), b"garbage" * 9],
    ],
    ids=["quietly", "with an error", "in a message", "with a wrong checksum", "with garbage"],
)
async def test_a_reply_that_breaks_off_is_said_to(model: BedrockModel, bedrock: Bedrock, messages: list[bytes]) -> None:
    bedrock.messages = messages
    pieces = model.reply(PROMPT)
    assert await anext(pieces) == "Once"
    with pytest.raises(ModelFailed):
        await anext(pieces)


async def test_a_reply_that_nobody_reads_does_not_block_the_next(model: BedrockModel, bedrock: Bedrock) -> None:
    bedrock.messages, bedrock.hangs = [START, word("Once")], True
    for _ in range(2):
        async with aclosing(model.reply(PROMPT)) as words:
            assert await anext(words) == "Once"
    await asyncio.to_thread(bedrock.cut_off.wait, 5)
    assert bedrock.cut_off.is_set()
    bedrock.messages, bedrock.hangs = [START, word("free"), STOP], False
    assert await words_of(model) == ["free"]
