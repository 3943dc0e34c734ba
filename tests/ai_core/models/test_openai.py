"""What only shows between the client and the server of an OpenAI-compatible model; the rest is in test_replies.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from ai_core.models.openai import OpenAIModel
from ai_core.models.protocol import ModelFailed, ModelUnavailable, Prompt, Turn
from ai_core.settings import ModelSettings
from pydantic import SecretStr

from local.certificates import Authority
from local.postgres import free_port
from tests.ai_core.conftest import Files
from tests.support.openai_server import OpenAIServer, chunk, refusing, saying, streaming

pytestmark = pytest.mark.anyio
PROMPT = Prompt(system="Be kind.", turns=(Turn(sender="user", content="Grüße"), Turn(sender="ai", content="Ja?")))


def settings(url: str, ca: Path | None, key: str | None = "key") -> ModelSettings:
    return ModelSettings(
        model_provider="openai",
        model_url=url,
        model_ca_file=ca,
        model_name="scripted",
        model_api_key=SecretStr(key) if key else None,
        model_context_tokens=2048,
        model_reply_tokens=99,
        model_timeout_seconds=5,
        model_concurrency=1,
    )


async def words_of(model: OpenAIModel) -> list[str]:
    try:
        async with aclosing(model.reply(PROMPT)) as words:
            return [word async for word in words]
    finally:
        await model.close()


async def test_roles_key_and_name_are_sent(files: Files) -> None:
    async with OpenAIServer(files.server, files.server_key, api_key="key") as server:
        server.scripts = [saying("Ich ", "höre.")]
        assert await words_of(OpenAIModel(settings(f"{server.url}/", files.ca))) == ["Ich ", "höre."]
    assert server.requests == [
        {
            "model": "scripted",
            "stream": True,
            "max_tokens": 99,
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Grüße"},
                {"role": "assistant", "content": "Ja?"},
            ],
        }
    ]


async def test_without_a_key_none_is_sent(files: Files) -> None:
    async with OpenAIServer(files.server, files.server_key, api_key="key") as server:
        with pytest.raises(ModelFailed):
            await words_of(OpenAIModel(settings(server.url, files.ca, key=None)))


async def test_a_server_with_a_strange_certificate_is_told_nothing(files: Files, tmp_path: Path) -> None:
    stranger = Authority("Servers").issue_server("stranger", tmp_path)
    async with OpenAIServer(stranger.certificate, stranger.key) as server:
        for ca in (files.ca, None):
            with pytest.raises(ModelUnavailable):
                await words_of(OpenAIModel(settings(server.url, ca)))
        assert server.requests == []


async def test_a_redirect_is_not_followed(files: Files) -> None:
    async with (
        OpenAIServer(files.server, files.server_key) as elsewhere,
        OpenAIServer(files.server, files.server_key) as server,
    ):
        server.scripts = [refusing(307, {"Location": f"{elsewhere.url}/chat/completions"})]
        with pytest.raises(ModelFailed):
            await words_of(OpenAIModel(settings(server.url, files.ca)))
        assert len(server.requests) == 1
    assert elsewhere.requests == []


async def test_nobody_there_may_be_tried_again(files: Files) -> None:
    with pytest.raises(ModelUnavailable):
        await words_of(OpenAIModel(settings(f"https://localhost:{free_port()}/v1", files.ca)))


async def test_an_answer_that_is_no_stream_is_no_reply(files: Files) -> None:
    async with OpenAIServer(files.server, files.server_key) as server:
        server.scripts = [refusing(200)]
        with pytest.raises(ModelFailed):
            await words_of(OpenAIModel(settings(server.url, files.ca, key=None)))


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", None), ("-1", None), ("²", None)])
async def test_the_pause_the_provider_names_is_understood(header: str, seconds: float | None, files: Files) -> None:
    async with OpenAIServer(files.server, files.server_key) as server:
        server.scripts = [refusing(429, {"Retry-After": header})]
        with pytest.raises(ModelUnavailable) as caught:
            await words_of(OpenAIModel(settings(server.url, files.ca, key=None)))
        assert caught.value.retry_after == seconds


async def test_comments_and_events_without_choices_are_passed_over(files: Files) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b": ping\n\nevent: x\n\n"
        yield chunk("a")
        yield b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
        yield chunk(None, "length")

    async with OpenAIServer(files.server, files.server_key) as server:
        server.scripts = [streaming(events)]
        assert await words_of(OpenAIModel(settings(server.url, files.ca, key=None))) == ["a"]


async def test_a_connection_is_used_for_one_reply_after_the_other(files: Files) -> None:
    async with OpenAIServer(files.server, files.server_key) as server:
        model = OpenAIModel(settings(server.url, files.ca, key=None))
        for _ in range(3):
            async with aclosing(model.reply(PROMPT)) as words:
                assert [word async for word in words]
        await model.close()
        assert len(server.requests) == 3
        assert len(server.connections) == 1


async def test_a_server_that_does_not_end_its_response_delays_nothing(files: Files) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield chunk("a") + chunk(None, "stop") + b"data: [DONE]\n\n"
        await asyncio.Event().wait()

    async with OpenAIServer(files.server, files.server_key) as server:
        server.scripts = [streaming(events)]
        async with asyncio.timeout(5):
            assert await words_of(OpenAIModel(settings(server.url, files.ca, key=None))) == ["a"]
        assert await asyncio.to_thread(server.cut_off.wait, 5)
