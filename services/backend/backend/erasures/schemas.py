"""What a receipt says."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Receipt(BaseModel):
    """An erasure, and nothing of who was erased."""

    erasure_id: UUID = Field(description="Whoever knows it may read this receipt; nothing else leads to it.")
    erased_at: datetime = Field(description="Since then nothing of the person is served or used any more.")
    backups_unreadable_at: datetime | None = Field(
        description="Since then what backups hold of the person can be read by nobody; `null` until that is done, "
        "within 24 hours."
    )
