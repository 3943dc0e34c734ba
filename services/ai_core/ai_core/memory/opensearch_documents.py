"""Records as documents of the index, and as the columns of them that a search reads."""

import binascii
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from ai_core.memory.opensearch_client import Json
from ai_core.memory.store import Position, Record, Sender

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class IdColumns(BaseModel):
    """What a search for nothing but ids reads. Each column is a list of one value."""

    memory_id: tuple[UUID]


class VectorColumns(IdColumns):
    """What a search for vectors reads."""

    vector: tuple[str] | None = None

    def cell(self) -> bytes | None:
        """The vector's cell, where there is one."""
        return _bytes(self.vector[0]) if self.vector else None


class RecordColumns(VectorColumns):
    """What a search for records reads."""

    conversation_id: tuple[UUID]
    message_id: tuple[UUID]
    sender: tuple[Sender]
    created_at: tuple[int]
    content: tuple[str]

    def record(self) -> Record:
        """The record."""
        return Record(
            memory_id=self.memory_id[0],
            conversation_id=self.conversation_id[0],
            message_id=self.message_id[0],
            sender=self.sender[0],
            created_at=_EPOCH + self.created_at[0] * _MICROSECOND,
            content=_bytes(self.content[0]),
            vector=self.cell(),
        )


def document(user_id: UUID, record: Record) -> Json:
    """What is stored of ``record``."""
    made: dict[str, Any] = {
        "user_id": str(user_id),
        "memory_id": str(record.memory_id),
        "conversation_id": str(record.conversation_id),
        "message_id": str(record.message_id),
        "sender": record.sender,
        "created_at": _microseconds(record.created_at),
        "content": _text(record.content),
    }
    if record.vector is not None:
        made["vector"] = _text(record.vector)
    if record.embedding is not None:
        made["embedding"] = record.embedding.tolist()
    return made


def sort_values(position: Position) -> list[int | str]:
    """A position as the values of ``created_at`` and ``memory_id``."""
    return [_microseconds(position[0]), str(position[1])]


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _text(cell: bytes) -> str:
    return binascii.b2a_base64(cell, newline=False).decode()


def _bytes(text: str) -> bytes:
    # The server leaves the padding out.
    return binascii.a2b_base64(text + "==")
