"""What the routes of ``/conversations`` take and give."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from backend.messages.schemas import Message

Persona = Literal["Gem", "Abby"]


class NewConversation(BaseModel):
    """Whom to talk with."""

    model_config = ConfigDict(extra="forbid")

    persona: Persona


class Conversation(BaseModel):
    """A conversation without its messages."""

    conversation_id: UUID
    persona: Persona
    created_at: datetime


class ConversationPage(Conversation):
    """A conversation with a page of its messages in ascending order; ``next`` leads to the older ones."""

    messages: list[Message]
    next: str | None
