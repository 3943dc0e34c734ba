"""Sealed vectors beside the sealed words, and memories that were forgotten one by one.

What was stored before has no sealed vector, and its words are plain: the service seals it person by person, with keys
that no migration has.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what is new; a plain vector is no longer needed."""
    op.add_column("memories", sa.Column("vector", sa.LargeBinary))
    op.alter_column("memories", "embedding", nullable=True)
    op.create_table(
        "forgotten_memories",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("memory_id", sa.Uuid, primary_key=True),
    )
