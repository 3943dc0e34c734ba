"""Memories with their embeddings, and what was forgotten for good.

No index on the embeddings: a search reads one person's rows through the primary key and is exact.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "memories",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("memory_id", sa.Uuid, primary_key=True),
        sa.Column("conversation_id", sa.Uuid, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("sender", sa.Text, sa.CheckConstraint("sender IN ('user', 'ai')"), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute("ALTER TABLE memories ADD COLUMN embedding vector(384) NOT NULL")
    op.create_index("memories_by_position", "memories", ["user_id", "created_at", "memory_id"])
    op.create_index("memories_by_conversation", "memories", ["user_id", "conversation_id"])
    op.create_table("forgotten_users", sa.Column("user_id", sa.Uuid, primary_key=True))
    op.create_table(
        "forgotten_conversations",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("conversation_id", sa.Uuid, primary_key=True),
    )
