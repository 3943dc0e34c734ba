"""A reply while it is being written."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from backend.messages import replies
from backend.messages.replies import Writing
from backend.messages.schemas import Reply
from chassis.problems import Problem

REPLY = Reply(
    message_id=uuid4(),
    conversation_id=uuid4(),
    user_message_id=uuid4(),
    content="One two.",
    created_at=datetime.now(UTC),
    status="complete",
)


def test_whoever_comes_late_gets_it_from_the_beginning() -> None:
    async def run() -> None:
        writing = Writing()
        early = writing.follow()
        writing.add("One ")
        assert await anext(early) == "One "
        writing.add("two")
        writing.add(".")
        writing.end(REPLY)
        assert [piece async for piece in early] == ["two."]
        assert [piece async for piece in writing.follow()] == ["One two."]
        assert await writing.result() == REPLY

    asyncio.run(run())


def test_a_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(replies, "SILENCE_SECONDS", 0.01)
        writing = Writing()
        follower = writing.follow()
        assert await anext(follower) == ""
        assert await anext(follower) == ""
        writing.add("at last")
        assert await anext(follower) == "at last"

    asyncio.run(run())


def test_those_who_wait_learn_of_a_failure() -> None:
    async def run() -> None:
        writing = Writing()
        waiting = [asyncio.create_task(wait) for wait in (writing.begun(), writing.result())]
        await asyncio.sleep(0)
        writing.end(Problem(503, "no model"))
        for task in waiting:
            with pytest.raises(Problem):
                await task
        assert [piece async for piece in writing.follow()] == []

    asyncio.run(run())
