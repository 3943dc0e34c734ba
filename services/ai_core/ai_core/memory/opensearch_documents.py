"""Records as documents of the index, and as the columns of them that a search reads."""

import binascii
from datetime import UTC, datetime, timedelta
from typing import Any, NotRequired
from uuid import UUID

from pydantic import ConfigDict
from typing_extensions import TypedDict

from ai_core.memory.opensearch_client import Json
from ai_core.memory.store import Position, Record, Sender

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class IdColumns(TypedDict):
    """What a search for nothing but ids reads. Each column is a list of one value."""

    memory_id: tuple[UUID]


class VectorColumns(IdColumns):
    """What a search for vectors reads. Base64 is decoded with the JSON around it, in a third of the time."""

    __pydantic_config__ = ConfigDict(val_json_bytes="base64")  # pyright: ignore[reportGeneralTypeIssues] - pydantic's
    vector: NotRequired[tuple[bytes]]


class RecordColumns(VectorColumns):
    """What a search for records reads."""

    conversation_id: tuple[UUID]
    message_id: tuple[UUID]
    sender: tuple[Sender]
    created_at: tuple[int]
    content: tuple[bytes]


def record(columns: RecordColumns) -> Record:
    """The record in what was read."""
    (vector,) = columns.get("vector", (None,))
    return Record(
        memory_id=columns["memory_id"][0],
        conversation_id=columns["conversation_id"][0],
        message_id=columns["message_id"][0],
        sender=columns["sender"][0],
        created_at=_EPOCH + columns["created_at"][0] * _MICROSECOND,
        content=columns["content"][0],
        vector=vector,
    )


def document(user_id: UUID, kept: Record) -> Json:
    """What is stored of ``kept``."""
    made: dict[str, Any] = {
        "user_id": str(user_id),
        "memory_id": str(kept.memory_id),
        "conversation_id": str(kept.conversation_id),
        "message_id": str(kept.message_id),
        "sender": kept.sender,
        "created_at": _microseconds(kept.created_at),
        "content": _text(kept.content),
    }
    if kept.vector is not None:
        made["vector"] = _text(kept.vector)
    if kept.embedding is not None:
        made["embedding"] = kept.embedding.tolist()
    return made


def sort_values(position: Position) -> list[int | str]:
    """A position as the values of ``created_at`` and ``memory_id``."""
    return [_microseconds(position[0]), str(position[1])]


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _text(cell: bytes) -> str:
    return binascii.b2a_base64(cell, newline=False).decode()
