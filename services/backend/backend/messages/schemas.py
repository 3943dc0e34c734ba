"""What the routes of messages take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from chassis.problems import ProblemDocument
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _spoken(content: str) -> str:
    if "\0" in content:
        raise ValueError("must have no NUL character")
    if not any(character.isprintable() and not character.isspace() for character in content):
        raise ValueError("must not be blank")
    return content


class NewMessage(BaseModel):
    """What a person says. Longer than the limit of the settings is answered 413."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[str, AfterValidator(_spoken)] = Field(
        json_schema_extra={"format": "spoken"}, description="Not blank, and without a NUL character."
    )


class _Message(BaseModel):
    message_id: UUID
    conversation_id: UUID
    content: str
    created_at: datetime
    status: Literal["complete", "interrupted"]
    """``interrupted``: a reply that broke off; ``content`` is what had come."""


class PersonMessage(_Message):
    """What the person said."""

    sender: Literal["user"] = "user"


class Reply(_Message):
    """What the persona answered to ``user_message_id``."""

    sender: Literal["ai"] = "ai"
    user_message_id: UUID


Message = Annotated[PersonMessage | Reply, Field(discriminator="sender")]


class DeltaEvent(BaseModel):
    """The next piece of a reply."""

    type: Literal["delta"] = "delta"
    content: str


class MessageEvent(BaseModel):
    """The reply as it was stored; the last event."""

    type: Literal["message"] = "message"
    message: Reply


class ProblemEvent(BaseModel):
    """Why no complete reply was written; the last event."""

    type: Literal["error"] = "error"
    problem: ProblemDocument
