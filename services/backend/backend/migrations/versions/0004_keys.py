"""Keys of people and the epochs they are wrapped in, receipts of erasures, and what shows that an account is as we
wrote it."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
CREATE TABLE key_epochs (
    epoch integer PRIMARY KEY,
    state text NOT NULL CONSTRAINT key_epochs_state_check CHECK (state IN ('active', 'retiring', 'destroyed')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz
);
CREATE UNIQUE INDEX key_epochs_one_active ON key_epochs (state) WHERE state = 'active';
CREATE TABLE user_keys (
    user_id uuid REFERENCES users ON DELETE CASCADE,
    purpose text CONSTRAINT user_keys_purpose_check CHECK (purpose IN ('messages', 'memories')),
    epoch integer NOT NULL REFERENCES key_epochs,
    wrapped bytea NOT NULL,
    PRIMARY KEY (user_id, purpose)
);
CREATE INDEX user_keys_epoch ON user_keys (epoch);
CREATE TABLE erasures (
    erasure_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch integer NOT NULL REFERENCES key_epochs,
    backups_unreadable_at timestamptz
);
COMMENT ON COLUMN erasures.epoch IS 'the active one when the rows of the person went';
ALTER TABLE users
    ADD COLUMN rev integer NOT NULL DEFAULT 1,
    ADD COLUMN mac bytea,
    ADD COLUMN memory_format smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN users.rev IS 'how often the e-mail or the password was set';
COMMENT ON COLUMN users.mac IS 'over user_id, email, hashed_password and rev, with a key of the person';
COMMENT ON COLUMN users.memory_format IS 'of what is remembered; 0 is that of before there were keys';
"""


def upgrade() -> None:
    """Make the tables; nobody has keys yet."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
