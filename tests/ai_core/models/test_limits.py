"""What every model is held to. The model here is one in Python that does what the test says, without a network."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import pytest
from ai_core.models import limits
from ai_core.models.limits import LimitedModel
from ai_core.models.protocol import ModelError, ModelFailed, ModelTooSlow, ModelUnavailable, Prompt, Turn

pytestmark = pytest.mark.anyio
PROMPT = Prompt(system="Be kind.", turns=(Turn(sender="user", content="Hello"),))
Attempt = Callable[[], AsyncGenerator[str]]


class Scripted:
    """Implements ``LanguageModel``: one attempt after the other, the last one again and again."""

    def __init__(self, *attempts: Attempt) -> None:
        self._attempts = list(attempts)
        self.asked = 0
        self.running = 0
        self.most = 0

    async def reply(self, prompt: Prompt) -> AsyncGenerator[str]:
        assert prompt == PROMPT
        attempt = self._attempts[min(self.asked, len(self._attempts) - 1)]
        self.asked += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            async with aclosing(attempt()) as words:
                async for word in words:
                    yield word
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.running = -1


def saying(*words: str) -> Attempt:
    async def attempt() -> AsyncGenerator[str]:
        for word in words:
            yield word

    return attempt


def failing(error: ModelError, *words: str) -> Attempt:
    async def attempt() -> AsyncGenerator[str]:
        for word in words:
            yield word
        raise error

    return attempt


def hanging(*words: str) -> Attempt:
    async def attempt() -> AsyncGenerator[str]:
        for word in words:
            yield word
        await asyncio.Event().wait()

    return attempt


def limited(model: Scripted, *, timeout: float = 30, concurrency: int = 2) -> LimitedModel:
    return LimitedModel(model, timeout_seconds=timeout, concurrency=concurrency)


async def words_of(model: LimitedModel) -> list[str]:
    async with aclosing(model.reply(PROMPT)) as words:
        return [word async for word in words]


async def test_a_reply_passes_through_in_its_pieces() -> None:
    assert await words_of(limited(Scripted(saying("I ", "hear ", "you.")))) == ["I ", "hear ", "you."]


async def test_it_begins_with_a_word_and_has_no_empty_pieces() -> None:
    assert await words_of(limited(Scripted(saying("", "\n", "  I", "", " do", "\0")))) == ["I", " do"]


@pytest.mark.parametrize("words", [(), ("", " ", "\n"), ("\0",)])
async def test_a_reply_without_a_word_is_none(words: tuple[str, ...]) -> None:
    model = Scripted(saying(*words))
    with pytest.raises(ModelFailed):
        await words_of(limited(model))
    assert model.asked == 1


async def test_what_may_help_is_tried_again_before_the_first_piece() -> None:
    model = Scripted(failing(ModelUnavailable()), failing(ModelUnavailable(retry_after=0), " "), saying("fine"))
    assert await words_of(limited(model)) == ["fine"]
    assert model.asked == 3


async def test_it_gives_up_after_a_few_attempts() -> None:
    model = Scripted(failing(ModelUnavailable(retry_after=0)))
    with pytest.raises(ModelUnavailable):
        await words_of(limited(model))
    assert model.asked == limits.ATTEMPTS


@pytest.mark.parametrize("error", [ModelFailed(), ModelTooSlow()])
async def test_what_does_not_help_is_not_tried_again(error: ModelError) -> None:
    model = Scripted(failing(error))
    with pytest.raises(type(error)):
        await words_of(limited(model))
    assert model.asked == 1


async def test_nothing_is_tried_again_after_the_first_piece() -> None:
    model = Scripted(failing(ModelUnavailable(), "Once"))
    words = limited(model).reply(PROMPT)
    assert await anext(words) == "Once"
    with pytest.raises(ModelUnavailable):
        await anext(words)
    assert model.asked == 1


async def test_a_long_pause_is_left_to_the_caller() -> None:
    model = Scripted(failing(ModelUnavailable(retry_after=limits.LONGEST_PAUSE + 1)))
    with pytest.raises(ModelUnavailable) as caught:
        await words_of(limited(model))
    assert caught.value.retry_after == limits.LONGEST_PAUSE + 1
    assert model.asked == 1


async def test_a_pause_that_the_time_limit_does_not_allow_is_left_to_the_caller() -> None:
    model = Scripted(failing(ModelUnavailable(retry_after=3)))
    with pytest.raises(ModelUnavailable):
        await words_of(limited(model, timeout=2))
    assert model.asked == 1


@pytest.mark.parametrize(
    ("limit", "attempt"),
    [("FIRST_SECONDS", hanging()), ("FIRST_SECONDS", hanging(" ")), ("BETWEEN_SECONDS", hanging("Once"))],
)
async def test_silence_ends_a_reply(limit: str, attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, limit, 0.05)
    model = Scripted(attempt)
    with pytest.raises(ModelTooSlow):
        await words_of(limited(model))
    assert (model.asked, model.running) == (1, 0)


async def test_a_reply_that_drips_for_ever_ends() -> None:
    async def dripping() -> AsyncGenerator[str]:
        while True:
            await asyncio.sleep(0.01)
            yield "drip "

    model = Scripted(dripping)
    with pytest.raises(ModelTooSlow):
        await words_of(limited(model, timeout=0.2))
    assert model.running == 0


async def test_no_more_run_at_a_time_than_allowed_and_others_wait() -> None:
    async def brief() -> AsyncGenerator[str]:
        await asyncio.sleep(0.02)
        yield "done"

    model = Scripted(brief)
    together = limited(model, concurrency=2)
    assert await asyncio.gather(*(words_of(together) for _ in range(6))) == [["done"]] * 6
    assert model.most == 2


async def test_who_waits_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_SECONDS", 0.05)
    model = Scripted(hanging("Once"))
    together = limited(model, concurrency=1)
    async with aclosing(together.reply(PROMPT)) as first:
        assert await anext(first) == "Once"
        with pytest.raises(ModelUnavailable) as caught:
            await words_of(together)
        assert caught.value.retry_after is not None
    assert model.asked == 1


@pytest.mark.parametrize("attempt", [saying("a"), failing(ModelFailed()), failing(ModelFailed(), "a"), hanging("a")])
async def test_however_a_reply_ends_its_place_is_free_again(attempt: Attempt) -> None:
    model = Scripted(attempt, saying("next"))
    together = limited(model, concurrency=1)
    async with aclosing(together.reply(PROMPT)) as words:
        with suppress(ModelFailed):
            await anext(words)
    assert model.running == 0
    assert await words_of(together) == ["next"]


@pytest.mark.parametrize("attempt", [hanging(), hanging("a")])
async def test_a_reply_that_is_cancelled_ends_the_call_and_frees_its_place(attempt: Attempt) -> None:
    model = Scripted(attempt, saying("next"))
    together = limited(model, concurrency=1)
    task = asyncio.create_task(words_of(together))
    await asyncio.wait([task], timeout=0.05)  # it hangs now
    assert model.running == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.running == 0
    assert await words_of(together) == ["next"]


async def test_closing_closes_the_model() -> None:
    model = Scripted(saying())
    await limited(model).close()
    assert model.running == -1
