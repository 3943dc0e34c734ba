"""Everything Sanctum knows of a person."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from backend.ai_core import Memory
from backend.conversations.schemas import Conversation
from backend.messages.schemas import Message


class ExportedAccount(BaseModel):
    """The account."""

    user_id: UUID
    email: str
    created_at: datetime


class ExportedConversation(Conversation):
    """A conversation with all its messages in order."""

    messages: list[Message]


class Export(BaseModel):
    """Account, memories and conversations."""

    account: ExportedAccount
    memories: list[Memory]
    conversations: list[ExportedConversation]
