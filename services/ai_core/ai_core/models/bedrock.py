"""Models of Amazon Bedrock, through its Converse API.

botocore blocks, so each step of a reply is awaited in a thread; the region and the credentials are the task's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from chassis import aws
from urllib3.exceptions import HTTPError

from ai_core.models.protocol import ModelError, ModelFailed, ModelUnavailable, Prompt
from ai_core.settings import ModelSettings

if TYPE_CHECKING:
    from botocore.eventstream import EventStream
    from mypy_boto3_bedrock_runtime.type_defs import ConverseStreamOutputTypeDef, MessageTypeDef

CONNECT_SECONDS = 5
READ_SECONDS = 30
"""The longest silence in a reply; it also frees the thread of a reply that nobody waits for any more."""

_TEMPORARY = frozenset(
    {
        "InternalServerException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ServiceUnavailableException",
        "ThrottlingException",
    }
)
_Result = TypeVar("_Result")


class BedrockModel:
    """Implements ``LanguageModel``."""

    def __init__(self, settings: ModelSettings) -> None:
        self._name = settings.model_name
        self._reply_tokens = settings.model_reply_tokens
        # A reply that was given up holds its thread until the next event.
        self._threads = ThreadPoolExecutor(settings.model_concurrency * 2, "bedrock")
        self._client = aws.bedrock_runtime(
            Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1},  # whether to ask again is the caller's to say
                max_pool_connections=settings.model_concurrency * 2,
            )
        )

    async def reply(self, prompt: Prompt) -> AsyncGenerator[str]:
        """See ``LanguageModel``."""
        try:
            stream = await self._in_thread(lambda: self._start(prompt))
            events = iter(stream)
            try:
                while (event := await self._in_thread(lambda: next(events, None))) is not None:
                    if "messageStop" in event:
                        return
                    if text := event.get("contentBlockDelta", {}).get("delta", {}).get("text"):
                        yield text
            finally:
                self._threads.submit(stream.close)
        except (EventStreamError, ParserError) as error:
            raise ModelFailed from error
        except (ClientError, BotoCoreError, HTTPError) as error:
            raise _kind(error) from error
        raise ModelFailed

    async def close(self) -> None:
        """See ``LanguageModel``."""
        await asyncio.to_thread(self._threads.shutdown)  # streams are still being closed in them
        self._client.close()

    def _start(self, prompt: Prompt) -> EventStream[ConverseStreamOutputTypeDef]:
        messages: list[MessageTypeDef] = [
            {"role": "assistant" if turn.sender == "ai" else "user", "content": [{"text": turn.content}]}
            for turn in prompt.turns
        ]
        return self._client.converse_stream(
            modelId=self._name,
            system=[{"text": prompt.system}],
            messages=messages,
            inferenceConfig={"maxTokens": self._reply_tokens},
        )["stream"]

    async def _in_thread(self, step: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, step)


def _kind(error: Exception) -> ModelError:
    if isinstance(error, ClientError):
        temporary = error.response.get("Error", {}).get("Code") in _TEMPORARY
        return ModelUnavailable() if temporary else ModelFailed()
    return (
        ModelUnavailable()
        if isinstance(error, BotocoreConnectionError | HTTPClientError | HTTPError)
        else ModelFailed()
    )
