"""Finds the people whose memories have an earlier form than the AI core writes (``backend.renew_memories``).

Built while people go on, as the index of 0005.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the index."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS users_memory_format")
        op.execute("CREATE INDEX CONCURRENTLY users_memory_format ON users (memory_format, user_id)")
