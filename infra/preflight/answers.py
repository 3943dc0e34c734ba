"""What a check finds out."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """``BAD`` stops a deployment or breaks what it makes; ``UNKNOWN`` may be either."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Answer:
    """``text`` says what is so; ``remedy`` what to do about it."""

    state: State
    text: str
    remedy: str = ""


def good(text: str) -> Answer:
    """Nothing to do."""
    return Answer(State.GOOD, text)


def bad(text: str, remedy: str) -> Answer:
    """A deployment would fail, or not do what it is for."""
    return Answer(State.BAD, text, remedy)


def unknown(text: str, remedy: str = "") -> Answer:
    """It could not be found out; ``text`` says why."""
    return Answer(State.UNKNOWN, text, remedy)
