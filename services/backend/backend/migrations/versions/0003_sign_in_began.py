"""When a sign-in began, as one that is used must end too. For those there are already: now."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; with a constant default no row is written anew."""
    op.execute("ALTER TABLE sign_ins ADD COLUMN began_at timestamptz NOT NULL DEFAULT now()")
