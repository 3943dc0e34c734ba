"""The tables of the memory database; the migrations make them."""

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, String, Table, Uuid

from ai_core.memory.embedder import DIMENSIONS

metadata = MetaData()

memories = Table(
    "memories",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("memory_id", Uuid, primary_key=True),
    Column("conversation_id", Uuid, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("sender", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("vector", LargeBinary),
    Column("embedding", VECTOR(DIMENSIONS)),
)

forgotten_users = Table("forgotten_users", metadata, Column("user_id", Uuid, primary_key=True))

forgotten_conversations = Table(
    "forgotten_conversations",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("conversation_id", Uuid, primary_key=True),
)

forgotten_memories = Table(
    "forgotten_memories",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("memory_id", Uuid, primary_key=True),
)
