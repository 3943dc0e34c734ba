"""The protocol of a language model."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from ai_core.text import Text


class Turn(BaseModel):
    """What one side said."""

    model_config = ConfigDict(frozen=True)

    sender: Literal["user", "ai"]
    content: Text


class Prompt(BaseModel):
    """All that a model is given: ``turns`` begin and end with the user and alternate, as chat templates demand."""

    model_config = ConfigDict(frozen=True)

    system: str
    turns: tuple[Turn, ...]


class ModelError(Exception):
    """There is no reply, or no more of it. Carries none of the provider's text, which may quote the prompt."""

    retry_after: float | None = None
    """Seconds after which asking again may help, where the provider said so."""


class ModelUnavailable(ModelError):
    """The model could not be reached or is overloaded: asking again may help."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after


class ModelTooSlow(ModelError):
    """A time limit passed."""


class ModelFailed(ModelError):
    """The model refused, broke off, or answered with something that is no reply."""


class LanguageModel(Protocol):
    """Writes replies."""

    def reply(self, prompt: Prompt) -> AsyncGenerator[str]:
        """The reply, in pieces as they are written. Closing the generator ends the call.

        Raises:
            ModelError: while iterating.
        """
        ...

    async def close(self) -> None:
        """Give connections and threads back."""
        ...
