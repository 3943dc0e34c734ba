"""What every language model is held to: how long, how often, how many at a time, and that there is a reply at all."""

import asyncio
import random
from collections.abc import AsyncGenerator

from ai_core.models.protocol import LanguageModel, ModelFailed, ModelTooSlow, ModelUnavailable, Prompt
from ai_core.text import clean

ATTEMPTS = 3
FIRST_SECONDS = 30
"""From the question to the first piece of the reply, an attempt."""
BETWEEN_SECONDS = 15
"""From one piece to the next."""
QUEUE_SECONDS = 2
"""How long a reply waits for one of the others to end."""
LONGEST_PAUSE = 5
"""A provider that asks for a longer pause is not waited for; the caller is told to come back instead."""


class LimitedModel:
    """Implements ``LanguageModel`` around another one.

    Asks again only before the first piece has gone out, after a random pause (full jitter,
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) or the one the provider names.
    """

    def __init__(self, model: LanguageModel, *, timeout_seconds: float, concurrency: int) -> None:
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._slots = asyncio.Semaphore(concurrency)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[str]:
        """See ``LanguageModel``. The pieces hold no NUL and no lone surrogate, and the first begins with no blank.

        Raises:
            ModelUnavailable: also when too many replies are being written already.
        """
        deadline = _now() + self._timeout_seconds
        try:
            async with asyncio.timeout(min(QUEUE_SECONDS, self._timeout_seconds)):
                await self._slots.acquire()
        except TimeoutError:
            raise ModelUnavailable(retry_after=QUEUE_SECONDS) from None
        deltas = None
        try:
            deltas, delta = await self._begin(prompt, deadline)
            while delta is not None:
                yield delta
                delta = await _next(deltas, min(deadline, _now() + BETWEEN_SECONDS))
        finally:
            self._slots.release()
            if deltas:
                await deltas.aclose()

    async def close(self) -> None:
        """See ``LanguageModel``."""
        await self._model.close()

    async def _begin(self, prompt: Prompt, deadline: float) -> tuple[AsyncGenerator[str], str]:
        """The reply and the first piece of it."""
        attempt = 0
        while True:
            deltas = self._model.reply(prompt)
            try:
                return deltas, await _first(deltas, min(deadline, _now() + FIRST_SECONDS))
            except ModelUnavailable as error:
                attempt += 1
                asked = error.retry_after
                pause = asked if asked is not None else random.uniform(0, 0.25 * 2**attempt)  # noqa: S311 - no secret
                if attempt == ATTEMPTS or pause > min(LONGEST_PAUSE, deadline - _now()):
                    raise
            except BaseException:
                await deltas.aclose()
                raise
            await asyncio.sleep(pause)


async def _first(deltas: AsyncGenerator[str], end: float) -> str:
    while (delta := await _next(deltas, end)) is not None:
        if delta := delta.lstrip():
            return delta
    raise ModelFailed


async def _next(deltas: AsyncGenerator[str], end: float) -> str | None:
    """The next piece that is not empty; ``None`` where the reply is complete."""
    try:
        async with asyncio.timeout_at(end):
            async for delta in deltas:
                if delta := clean(delta):
                    return delta
    except TimeoutError:
        raise ModelTooSlow from None
    return None


def _now() -> float:
    return asyncio.get_running_loop().time()
