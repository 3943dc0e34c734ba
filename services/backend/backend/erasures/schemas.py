"""What a receipt says."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Receipt(BaseModel):
    """An erasure, and nothing of who was erased."""

    erasure_id: UUID = Field(description="Whoever knows it may read this receipt; nothing else leads to it.")
    erased_at: datetime = Field(description="Since then nothing of the person is served or used any more.")
    backups_unreadable_at: datetime | None = Field(
        description="Since then nobody can read, in any backup, what the person said, was told and is remembered of "
        "them; `null` until that is done, within 24 hours. E-mail address and times end with the backups themselves."
    )
