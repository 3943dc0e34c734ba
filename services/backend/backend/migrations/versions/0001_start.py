"""Accounts, sign-ins, conversations, messages, idempotency keys and the outbox."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = """
CREATE TABLE users (
    user_id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    hashed_password text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE sign_ins (
    sign_in_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_ins_user_id ON sign_ins (user_id);
CREATE INDEX sign_ins_expires_at ON sign_ins (expires_at);
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    sign_in_id uuid NOT NULL REFERENCES sign_ins ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_sign_in_id ON refresh_tokens (sign_in_id);
CREATE INDEX refresh_tokens_used_at ON refresh_tokens (used_at);
CREATE TABLE sign_in_failures (
    account bytea NOT NULL,
    address text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN sign_in_failures.account IS 'SHA-256 of the e-mail that was tried';
CREATE INDEX sign_in_failures_account ON sign_in_failures (account, address, failed_at);
CREATE INDEX sign_in_failures_address ON sign_in_failures (address, failed_at);
CREATE INDEX sign_in_failures_failed_at ON sign_in_failures (failed_at);
CREATE TABLE conversations (
    conversation_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    persona text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT conversations_owner_key UNIQUE (conversation_id, user_id)
);
CREATE INDEX conversations_newest ON conversations (user_id, created_at, conversation_id);
CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL,
    user_id uuid NOT NULL,
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    sender text NOT NULL CONSTRAINT messages_sender_check CHECK (sender IN ('user', 'ai')),
    content bytea NOT NULL CONSTRAINT messages_content_check CHECK (get_byte(content, 0) IN (0, 1)),
    status text NOT NULL CONSTRAINT messages_status_check CHECK (status IN ('complete', 'interrupted')),
    user_message_id uuid CONSTRAINT messages_user_message_id_key UNIQUE REFERENCES messages ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT messages_owner_fkey FOREIGN KEY (conversation_id, user_id)
        REFERENCES conversations (conversation_id, user_id) ON DELETE CASCADE,
    CONSTRAINT messages_reply_check CHECK ((sender = 'ai') = (user_message_id IS NOT NULL))
);
CREATE INDEX messages_in_order ON messages (conversation_id, user_id, position);
CREATE TABLE idempotency_keys (
    user_id uuid,
    key text,
    conversation_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    user_message_id uuid NOT NULL,
    lease uuid NOT NULL,
    lease_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, key),
    CONSTRAINT idempotency_keys_owner_fkey FOREIGN KEY (conversation_id, user_id)
        REFERENCES conversations (conversation_id, user_id) ON DELETE CASCADE
);
COMMENT ON COLUMN idempotency_keys.lease IS 'which attempt asks the model';
CREATE INDEX idempotency_keys_conversation_id ON idempotency_keys (conversation_id, user_id);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE TABLE outbox (
    outbox_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id uuid NOT NULL,
    conversation_id uuid,
    reply_message_id uuid CONSTRAINT outbox_reply_message_id_key UNIQUE REFERENCES messages ON DELETE CASCADE,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE outbox IS
    'With a reply: a turn to remember. Without: a conversation, or else a whole person, to forget.';
CREATE INDEX outbox_next_at ON outbox (next_at);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
