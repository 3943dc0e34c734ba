"""Accounts, sign-ins and refresh tokens in the database."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from chassis.direct import Built, Connection, Row
from chassis.logs import log
from sqlalchemy import (
    Integer,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.auth.credentials import Credentials, Stored
from backend.auth.tokens import Caller
from backend.schema import refresh_tokens, sign_ins, users

_now = func.clock_timestamp

_this = (sign_ins.c.sign_in_id == bindparam("sign_in")) & (sign_ins.c.user_id == bindparam("user"))
_users = select(users.c.user_id, users.c.email, users.c.hashed_password, users.c.rev, users.c.mac)
_until = _now() + bindparam("lasts", type_=Interval())

_LIVES = Built(select(literal(1)).where(_this, sign_ins.c.expires_at > _now()))

_ADD_USER = Built(
    upsert(users)
    .values(
        user_id=bindparam("user", type_=Uuid()),
        email=bindparam("email", type_=Text()),
        hashed_password=bindparam("hash", type_=Text()),
        rev=bindparam("rev", type_=Integer()),
        mac=bindparam("mac", type_=LargeBinary()),
    )
    .on_conflict_do_nothing()
    .returning(users.c.user_id)
)

_OWNER = Built(select(sign_ins.c.user_id).where(sign_ins.c.sign_in_id == bindparam("sign_in")))
_KNOWS = Built(
    select(literal(1)).where(
        refresh_tokens.c.token_hash == bindparam("token"), refresh_tokens.c.sign_in_id == bindparam("sign_in")
    )
)

_FIND = Built(_users.where(users.c.email == bindparam("of")))
_READ = Built(_users.where(users.c.user_id == bindparam("user")))
_UNCHANGED = Built(
    select(users.c.user_id)
    .where(users.c.user_id == bindparam("user"), users.c.hashed_password == bindparam("hash"))
    .with_for_update(read=True)
)
_ADD_SIGN_IN = Built(
    insert(sign_ins).values(
        sign_in_id=bindparam("sign_in", type_=Uuid()), user_id=bindparam("user", type_=Uuid()), expires_at=_until
    )
)
_ADD_TOKEN = Built(
    insert(refresh_tokens).values(
        token_hash=bindparam("token", type_=LargeBinary()), sign_in_id=bindparam("sign_in", type_=Uuid())
    )
)
_LOCK = Built(select((sign_ins.c.expires_at > _now()).label("lives")).where(_this).with_for_update())
_USE_UP = Built(
    update(refresh_tokens)
    .where(
        refresh_tokens.c.token_hash == bindparam("token"),
        refresh_tokens.c.sign_in_id == bindparam("sign_in"),
        refresh_tokens.c.used_at.is_(None),
    )
    .values(used_at=_now())
    .returning(refresh_tokens.c.sign_in_id)
)
_PROLONG = Built(
    update(sign_ins)
    .where(_this)
    .values(expires_at=func.least(_until, sign_ins.c.began_at + bindparam("at_last", type_=Interval())))
)
_END = Built(delete(sign_ins).where(_this).returning(sign_ins.c.sign_in_id))
_END_OTHERS = Built(
    delete(sign_ins).where(sign_ins.c.user_id == bindparam("user"), sign_ins.c.sign_in_id != bindparam("sign_in"))
)
_CHANGE_PASSWORD = Built(
    update(users)
    .where(
        users.c.user_id == bindparam("user"),
        users.c.hashed_password == bindparam("old_hash"),
        users.c.rev == bindparam("old_rev"),
    )
    .values(
        hashed_password=bindparam("hash", type_=Text()),
        rev=bindparam("new_rev", type_=Integer()),
        mac=bindparam("new_mac", type_=LargeBinary()),
    )
    .returning(users.c.user_id)
)


async def add_user(connection: Connection, credentials: Credentials, mac: bytes) -> bool:
    """Add an account; ``False`` when the e-mail has one."""
    values = {"user": credentials.user_id, "email": credentials.email, "hash": credentials.hashed_password}
    return bool(await connection.rows(_ADD_USER, **values, rev=credentials.rev, mac=mac))


async def find_user(connection: Connection, email: str) -> Stored | None:
    """The account with this e-mail."""
    return _stored(await connection.rows(_FIND, of=email))


async def read_user(connection: Connection, user_id: UUID) -> Stored | None:
    """The account of this person."""
    return _stored(await connection.rows(_READ, user=user_id))


def _stored(rows: Sequence[Row]) -> Stored | None:
    for row in rows:
        return Stored(Credentials(row.user_id, row.email, row.hashed_password, row.rev), row.mac)
    return None


async def add_sign_in(connection: Connection, caller: Caller, verified_hash: str, token: bytes, seconds: int) -> bool:
    """Add a sign-in with its first refresh token; ``False`` when the password is no longer the one verified."""
    # The lock keeps a change of the password, which ends all sign-ins, from passing between the two statements.
    if not await connection.rows(_UNCHANGED, user=caller.user_id, hash=verified_hash):
        return False
    await connection.rows(_ADD_SIGN_IN, **_values(caller), lasts=timedelta(seconds=seconds))
    await connection.rows(_ADD_TOKEN, token=token, sign_in=caller.sign_in_id)
    return True


async def lives(connection: Connection, caller: Caller) -> bool:
    """Whether the caller's sign-in has neither ended nor expired."""
    return bool(await connection.rows(_LIVES, **_values(caller)))


async def owner(connection: Connection, sign_in_id: UUID) -> UUID | None:
    """Whose sign-in this is."""
    rows = await connection.rows(_OWNER, sign_in=sign_in_id)
    return rows[0].user_id if rows else None


async def knows(connection: Connection, sign_in_id: UUID, token: bytes) -> bool:
    """Whether this is or was a refresh token of the sign-in."""
    return bool(await connection.rows(_KNOWS, sign_in=sign_in_id, token=token))


async def rotate(
    connection: Connection, caller: Caller, token: bytes, successor: bytes, *, seconds: int, seconds_in_all: int
) -> bool:
    """Use up a refresh token and give its sign-in the next; ``False`` for one that is not good.

    The sign-in lives ``seconds`` more, but not longer than ``seconds_in_all`` from its beginning.

    One that was used before has been copied: its sign-in ends, whoever of the two is the owner (RFC 9700, 4.14.2).
    """
    # The sign-in is locked first, so that those who renew it at once come one after another.
    if not any(row.lives for row in await connection.rows(_LOCK, **_values(caller))):
        return False
    if not await connection.rows(_USE_UP, token=token, sign_in=caller.sign_in_id):
        await connection.rows(_END, **_values(caller))
        log("refresh_token.reused", "warning", user_id=caller.user_id)
        return False
    await connection.rows(_ADD_TOKEN, token=successor, sign_in=caller.sign_in_id)
    lasts, at_last = timedelta(seconds=seconds), timedelta(seconds=seconds_in_all)
    await connection.rows(_PROLONG, **_values(caller), lasts=lasts, at_last=at_last)
    return True


async def end_sign_in(connection: Connection, caller: Caller) -> bool:
    """End a sign-in; ``False`` when it has ended already."""
    return bool(await connection.rows(_END, **_values(caller)))


async def change_password(
    connection: Connection, caller: Caller, verified: Credentials, new: Credentials, mac: bytes
) -> bool:
    """Replace the password and end all other sign-ins; ``False`` when it is no longer the one verified."""
    old = {"user": caller.user_id, "old_hash": verified.hashed_password, "old_rev": verified.rev}
    changed = await connection.rows(_CHANGE_PASSWORD, **old, hash=new.hashed_password, new_rev=new.rev, new_mac=mac)
    if changed:
        await connection.rows(_END_OTHERS, **_values(caller))
    return bool(changed)


def _values(caller: Caller) -> dict[str, object]:
    return {"sign_in": caller.sign_in_id, "user": caller.user_id}
