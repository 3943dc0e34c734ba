"""Finds the messages of before there were keys, which the service seals while it serves; ``backend.tighten`` ends it.

Built while people go on writing, so outside of a transaction; one whose building was broken off is built anew
(https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY).
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the index."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_plain")
        op.execute("CREATE INDEX CONCURRENTLY messages_plain ON messages (user_id) WHERE get_byte(content, 0) = 0")
