"""Any address that speaks OpenAI's chat completions, over verified TLS."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from chassis.http_client import HttpProcessingError, aiohttp
from pydantic import BaseModel, BeforeValidator

from ai_core.models.protocol import ModelFailed, ModelUnavailable, Prompt
from ai_core.settings import ModelSettings
from ai_core.text import clean

CONNECT_SECONDS = 5
LAST_SECONDS = 0.5
"""How long the end of a response may follow the end of the reply, for the connection to be used again."""
_ROLES = {"user": "user", "ai": "assistant"}


class _Delta(BaseModel):
    # Half an emoji, which some providers let out, is no reason to lose a reply: cleaned before it is looked at.
    content: Annotated[str | None, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)] = (
        None
    )


class _Choice(BaseModel):
    delta: _Delta
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_Choice]


class OpenAIModel:
    """Implements ``LanguageModel``; made inside the running event loop."""

    def __init__(self, settings: ModelSettings) -> None:
        self._url = f"{(settings.model_url or '').rstrip('/')}/chat/completions"
        self._request = {"model": settings.model_name, "stream": True, "max_tokens": settings.model_reply_tokens}
        tls = ssl.create_default_context(cafile=settings.model_ca_file)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        headers = {"Accept": "text/event-stream"}
        if settings.model_api_key:
            headers["Authorization"] = f"Bearer {settings.model_api_key.get_secret_value()}"
        # How long a reply may take is the caller's to say; how many run at a time too.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers=headers,
        )

    async def reply(self, prompt: Prompt) -> AsyncGenerator[str]:
        """See ``LanguageModel``."""
        turns = [{"role": _ROLES[turn.sender], "content": turn.content} for turn in prompt.turns]
        body = {**self._request, "messages": [{"role": "system", "content": prompt.system}, *turns]}
        try:
            # A redirect is not followed: it would take a person's words to an address that nobody configured.
            async with self._session.post(self._url, json=body, allow_redirects=False) as response:
                _check(response)
                # Left before its end, the response takes its connection with it: the model stops writing.
                async for delta in _deltas(response.content):
                    yield delta
        except aiohttp.ClientPayloadError as error:
            raise ModelFailed from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ModelUnavailable from error

    async def close(self) -> None:
        """See ``LanguageModel``."""
        await self._session.close()


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The other form of the header, a date, is not worth parsing: the caller then chooses a pause itself.
        seconds = response.headers.get("Retry-After", "")
        raise ModelUnavailable(float(seconds) if seconds.isascii() and seconds.isdigit() else None)
    if response.status != HTTPStatus.OK or response.content_type != "text/event-stream":
        raise ModelFailed


async def _deltas(lines: aiohttp.StreamReader) -> AsyncGenerator[str]:
    finished = False
    try:
        async for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_SECONDS):
                        await lines.read()
                return
            for choice in _Chunk.model_validate(json.loads(data)).choices[:1]:
                finished = finished or choice.finish_reason is not None
                if choice.delta.content:
                    yield choice.delta.content
    except (ValueError, HttpProcessingError) as error:  # no such JSON; a line too long for the reader
        raise ModelFailed from error
    if not finished:
        raise ModelFailed
