"""What people and addresses have used of what they are allowed."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE person_usage (
    user_id uuid REFERENCES users ON DELETE CASCADE,
    what text,
    since timestamptz NOT NULL,
    used integer NOT NULL,
    PRIMARY KEY (user_id, what)
);
CREATE INDEX person_usage_since ON person_usage (since);
CREATE TABLE address_usage (
    address text,
    what text,
    since timestamptz NOT NULL,
    used integer NOT NULL,
    PRIMARY KEY (address, what)
);
CREATE INDEX address_usage_since ON address_usage (since);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
