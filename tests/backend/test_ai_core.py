"""How the backend calls the AI core."""

import asyncio
import ssl
from uuid import uuid4

import aiohttp
import pytest
from backend import ai_core as client_module
from backend.ai_core import AiCore, Question, Unavailable
from backend.settings import AiCoreSettings

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend

MEMORY_KEY = b"a wrapped key"
QUESTION = Question(user_id=uuid4(), persona="Gem", history=[], content="hello")


def _settings(deployed: Backend, **other: object) -> AiCoreSettings:
    return AiCoreSettings.model_validate(deployed.read_settings().model_dump() | other)


async def _reply(client: AiCore) -> str:
    return "".join([piece async for piece in client.reply(QUESTION, MEMORY_KEY)])


def test_nobody_is_answered_without_the_client_certificate(deployed: Backend, ai_core: AiCoreStandIn) -> None:
    async def run() -> None:
        with_certificate = AiCore(_settings(deployed))
        assert await _reply(with_certificate) == "Tell me more."
        await with_certificate.close()
        tls = ssl.create_default_context(cafile=deployed.certificates.authority)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"https://localhost:{ai_core.port}/v1/replies", ssl=tls)

    asyncio.run(run())


def test_a_server_of_another_authority_is_not_asked(deployed: Backend, ai_core: AiCoreStandIn) -> None:
    async def run() -> None:
        client = AiCore(_settings(deployed, ai_core_ca_file=deployed.certificates.client_authority))
        with pytest.raises(Unavailable):
            await _reply(client)
        await client.close()
        assert ai_core.questions == []

    asyncio.run(run())


def test_a_pool_is_replaced_before_its_connections_are_ended(
    deployed: Backend, ai_core: AiCoreStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        monkeypatch.setattr(client_module, "POOL_SECONDS", 0)
        monkeypatch.setattr(client_module, "REPLY_SECONDS", 0.2)
        client = AiCore(_settings(deployed))
        await client.forget(uuid4(), None)
        first = client.pool()
        await client.forget(uuid4(), None)
        assert client.pool() is not first
        assert not first.closed
        async with asyncio.timeout(10):
            while not first.closed:  # noqa: ASYNC110 - there is nothing to wait for but time
                await asyncio.sleep(0.02)
        await client.close()
        with pytest.raises(Unavailable):
            await client.forget(uuid4(), None)
        assert ai_core.port

    asyncio.run(run())


@pytest.mark.parametrize(("sent", "understood"), [(7, 7), (100_000, 300)])
def test_it_says_when_to_ask_again(deployed: Backend, ai_core: AiCoreStandIn, sent: int, understood: int) -> None:
    async def run() -> None:
        ai_core.script = Script(status=503, retry_after=sent)
        client = AiCore(_settings(deployed))
        with pytest.raises(Unavailable) as failed:
            await _reply(client)
        assert failed.value.retry_after == understood
        await client.close()

    asyncio.run(run())


def test_signed_requests_reach_the_server_as_they_were_signed(
    deployed: Backend, ai_core: AiCoreStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "example")
        # Behind Lattice there is no client certificate; this stand-in wants one, so the connection is refused.
        client = AiCore(_settings(deployed, ai_core_auth="sigv4"))
        with pytest.raises(Unavailable):
            await client.forget(uuid4(), None)
        await client.close()
        assert ai_core.port

    asyncio.run(run())
