"""The user database as SQLAlchemy sees it; the migrations and ``backend.tighten`` make it, and a test holds the two
together.

Whatever a person owns hangs on their row in ``users`` and goes with it. A message carries its person as well as its
conversation, and the database holds that they belong together, so a statement cannot read across people by mistake.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

metadata = MetaData()

SEALED_CHECK = "messages_sealed_check"
"""The constraint that admits sealed messages only."""

IS_SEALED = "SELECT convalidated FROM pg_constraint WHERE conrelid = 'messages'::regclass AND conname = :name"
"""Whether it holds for all rows; no row where it is not there."""


def _now(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _usage() -> tuple[Column[str], Column[datetime], Column[int]]:
    """How often ``what`` was used in the window of time that began ``since``."""
    return (
        Column("what", Text, primary_key=True),
        Column("since", DateTime(timezone=True), nullable=False),
        Column("used", Integer, nullable=False),
    )


users = Table(
    "users",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("hashed_password", Text, nullable=False),
    _now("created_at"),
    Column(
        "rev",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="how often the e-mail or the password was set",
    ),
    Column(
        "mac",
        LargeBinary,
        nullable=False,
        comment="over user_id, email, hashed_password and rev, with a key of the person",
    ),
    Column(
        "memory_format",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="of what is remembered; 0 is that of before there were keys",
    ),
    UniqueConstraint("email", name="users_email_key"),
    Index("users_memory_format", "memory_format", "user_id"),
)

key_epochs = Table(
    "key_epochs",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    _now("created_at"),
    Column("destroyed_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('active', 'retiring', 'destroyed')", name="key_epochs_state_check"),
    Index("key_epochs_one_active", "state", unique=True, postgresql_where=text("state = 'active'")),
)

user_keys = Table(
    "user_keys",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("epoch", Integer, ForeignKey("key_epochs.epoch"), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    CheckConstraint("purpose IN ('messages', 'memories')", name="user_keys_purpose_check"),
    Index("user_keys_epoch", "epoch"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Uuid, primary_key=True),
    _now("erased_at"),
    Column(
        "epoch",
        Integer,
        ForeignKey("key_epochs.epoch"),
        nullable=False,
        comment="the active one when the rows of the person went",
    ),
    Column("backups_unreadable_at", DateTime(timezone=True)),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("sign_in_id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    _now("began_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sign_ins_user_id", "user_id"),
    Index("sign_ins_expires_at", "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("sign_in_id", Uuid, ForeignKey("sign_ins.sign_in_id", ondelete="CASCADE"), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Index("refresh_tokens_sign_in_id", "sign_in_id"),
    Index("refresh_tokens_used_at", "used_at"),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("account", LargeBinary, nullable=False, comment="SHA-256 of the e-mail that was tried"),
    Column("address", Text, nullable=False),
    _now("failed_at"),
    Index("sign_in_failures_account", "account", "address", "failed_at"),
    Index("sign_in_failures_address", "address", "failed_at"),
    Index("sign_in_failures_failed_at", "failed_at"),
)

person_usage = Table(
    "person_usage",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    *_usage(),
    Index("person_usage_since", "since"),
)

address_usage = Table(
    "address_usage",
    metadata,
    Column("address", Text, primary_key=True),
    *_usage(),
    Index("address_usage_since", "since"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    Column("persona", Text, nullable=False),
    _now("created_at"),
    UniqueConstraint("conversation_id", "user_id", name="conversations_owner_key"),
    Index("conversations_newest", "user_id", "created_at", "conversation_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("conversation_id", Uuid, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("sender", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("user_message_id", Uuid, ForeignKey("messages.message_id", ondelete="CASCADE")),
    _now("created_at"),
    ForeignKeyConstraint(
        ["conversation_id", "user_id"],
        ["conversations.conversation_id", "conversations.user_id"],
        ondelete="CASCADE",
        name="messages_owner_fkey",
    ),
    # One reply a message, however many processes were asked.
    UniqueConstraint("user_message_id", name="messages_user_message_id_key"),
    CheckConstraint("sender IN ('user', 'ai')", name="messages_sender_check"),
    CheckConstraint("status IN ('complete', 'interrupted')", name="messages_status_check"),
    CheckConstraint("(sender = 'ai') = (user_message_id IS NOT NULL)", name="messages_reply_check"),
    CheckConstraint("get_byte(content, 0) = 1", name="messages_sealed_check"),
    Index("messages_in_order", "conversation_id", "user_id", "position"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("conversation_id", Uuid, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("user_message_id", Uuid, nullable=False),
    Column("lease", Uuid, nullable=False, comment="which attempt asks the model"),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    _now("created_at"),
    ForeignKeyConstraint(
        ["conversation_id", "user_id"],
        ["conversations.conversation_id", "conversations.user_id"],
        ondelete="CASCADE",
        name="idempotency_keys_owner_fkey",
    ),
    Index("idempotency_keys_conversation_id", "conversation_id", "user_id"),
    Index("idempotency_keys_created_at", "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", BigInteger, Identity(always=True), primary_key=True),
    # No reference to users or conversations: an order to forget outlives them.
    Column("user_id", Uuid, nullable=False),
    Column("conversation_id", Uuid),
    Column("reply_message_id", Uuid, ForeignKey("messages.message_id", ondelete="CASCADE")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    UniqueConstraint("reply_message_id", name="outbox_reply_message_id_key"),
    Index("outbox_next_at", "next_at"),
    Index("outbox_next", text("(reply_message_id IS NOT NULL)"), "next_at"),
    comment="With a reply: a turn to remember. Without: a conversation, or else a whole person, to forget.",
)
