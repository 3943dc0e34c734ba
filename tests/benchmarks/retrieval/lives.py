"""The committed set: invented people, what they and the AI said on which day, and questions about it.

A file a person in ``set/``. Half of the people are for choosing a ranking (``tune``), the others for reporting what the
chosen one does (``report``); nobody is in both.
"""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from ai_core.memory.store import Sender
from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent / "set"

Half = Literal["tune", "report"]
Kind = Literal[
    "plain",  # in other words than it was said
    "buried",  # a detail within a long message
    "distractor",  # beside something of the same topic: another relative, another sum
    "correction",  # the person took back what they had said
    "kept",  # beside a correction that corrects something else
    "recency",  # what is so by now, of several states
    "before",  # what was so earlier, of several states
    "repeated",  # said several times in nearly the same words
    "own",  # said by the person and retold by the AI
    "ai",  # said by the AI only
    "nothing",  # never said
]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Written):
    """A message; its ``id`` is unique within a life."""

    id: str
    by: Sender
    words: str


class Conversation(_Written):
    """Messages of one day, in order."""

    on: date
    said: tuple[Said, ...]


class Question(_Written):
    """What is asked, and the messages that help to answer it."""

    ask: str
    kind: Kind
    answers: tuple[tuple[str, ...], ...]
    """Each inner tuple is one thing to know, said in any of these messages."""
    stale: tuple[str, ...] = ()
    """Messages that must not stand before the answer: corrected, out of date, or a retelling."""
    holds: dict[str, str] = {}
    """Of a long message, words which the passage that answers contains."""


class Life(_Written):
    """A person, all that was said, and what is asked on the day after."""

    who: str
    half: Half
    conversations: tuple[Conversation, ...]
    questions: tuple[Question, ...]

    @property
    def user_id(self) -> UUID:
        """Made from who they are."""
        return uuid5(NAMESPACE_URL, self.who)

    @property
    def now(self) -> datetime:
        """When the questions are asked."""
        return _noon(max(conversation.on for conversation in self.conversations)) + timedelta(days=1)

    def messages(self) -> list[tuple[Said, UUID, datetime]]:
        """Each message with its conversation's id and its time, a minute apart."""
        return [
            (said, uuid5(self.user_id, f"{conversation.on}"), _noon(conversation.on) + timedelta(minutes=minute))
            for conversation in self.conversations
            for minute, said in enumerate(conversation.said)
        ]


@cache
def lives(half: Half) -> tuple[Life, ...]:
    """All people of one half, in the order of their files' names."""
    return tuple(life for life in everybody().values() if life.half == half)


@cache
def everybody() -> dict[str, Life]:
    """All people by the names of their files."""
    return {
        path.stem: Life.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    }


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
