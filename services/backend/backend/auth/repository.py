"""Accounts, sign-ins and refresh tokens in the database."""

from datetime import timedelta
from uuid import UUID

from chassis.direct import Built, Connection
from chassis.logs import log
from sqlalchemy import (
    ColumnElement,
    Integer,
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
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.auth.credentials import Credentials, Stored
from backend.auth.tokens import Caller
from backend.schema import refresh_tokens, sign_ins, users

_now = func.clock_timestamp

_LIVES = Built(
    select(literal(1)).where(
        sign_ins.c.sign_in_id == bindparam("sign_in"),
        sign_ins.c.user_id == bindparam("user"),
        sign_ins.c.expires_at > _now(),
    )
)

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


async def add_user(connection: Connection, credentials: Credentials, mac: bytes) -> bool:
    """Add an account; ``False`` when the e-mail has one."""
    values = {"user": credentials.user_id, "email": credentials.email, "hash": credentials.hashed_password}
    return bool(await connection.rows(_ADD_USER, **values, rev=credentials.rev, mac=mac))


async def find_user(connection: AsyncConnection, email: str) -> Stored | None:
    """The account with this e-mail."""
    return await _stored(connection, users.c.email == email)


async def read_user(connection: AsyncConnection, user_id: UUID) -> Stored | None:
    """The account of this person."""
    return await _stored(connection, users.c.user_id == user_id)


async def _stored(connection: AsyncConnection, which: ColumnElement[bool]) -> Stored | None:
    statement = select(users.c.user_id, users.c.email, users.c.hashed_password, users.c.rev, users.c.mac).where(which)
    row = (await connection.execute(statement)).one_or_none()
    return Stored(Credentials(row.user_id, row.email, row.hashed_password, row.rev), row.mac) if row else None


async def add_sign_in(
    connection: AsyncConnection, caller: Caller, verified_hash: str, token: bytes, seconds: int
) -> bool:
    """Add a sign-in with its first refresh token; ``False`` when the password is no longer the one verified."""
    unchanged = select(users.c.user_id).where(
        users.c.user_id == caller.user_id, users.c.hashed_password == verified_hash
    )
    # The lock keeps a change of the password, which ends all sign-ins, from passing between the two statements.
    if await connection.scalar(unchanged.with_for_update(read=True)) is None:
        return False
    expires_at = _now() + timedelta(seconds=seconds)
    await connection.execute(
        insert(sign_ins).values(sign_in_id=caller.sign_in_id, user_id=caller.user_id, expires_at=expires_at)
    )
    await connection.execute(insert(refresh_tokens).values(token_hash=token, sign_in_id=caller.sign_in_id))
    return True


async def lives(connection: Connection, caller: Caller) -> bool:
    """Whether the caller's sign-in has neither ended nor expired."""
    return bool(await connection.rows(_LIVES, sign_in=caller.sign_in_id, user=caller.user_id))


async def owner(connection: Connection, sign_in_id: UUID) -> UUID | None:
    """Whose sign-in this is."""
    rows = await connection.rows(_OWNER, sign_in=sign_in_id)
    return rows[0].user_id if rows else None


async def knows(connection: Connection, sign_in_id: UUID, token: bytes) -> bool:
    """Whether this is or was a refresh token of the sign-in."""
    return bool(await connection.rows(_KNOWS, sign_in=sign_in_id, token=token))


async def rotate(
    connection: AsyncConnection, caller: Caller, token: bytes, successor: bytes, *, seconds: int, seconds_in_all: int
) -> bool:
    """Use up a refresh token and give its sign-in the next; ``False`` for one that is not good.

    The sign-in lives ``seconds`` more, but not longer than ``seconds_in_all`` from its beginning.

    One that was used before has been copied: its sign-in ends, whoever of the two is the owner (RFC 9700, 4.14.2).
    """
    this = (sign_ins.c.sign_in_id == caller.sign_in_id) & (sign_ins.c.user_id == caller.user_id)
    # The sign-in is locked first, so that those who renew it at once come one after another.
    lives = await connection.scalar(select(sign_ins.c.expires_at > _now()).where(this).with_for_update())
    if not lives:
        return False
    held = (refresh_tokens.c.token_hash == token) & (refresh_tokens.c.sign_in_id == caller.sign_in_id)
    used = update(refresh_tokens).where(held, refresh_tokens.c.used_at.is_(None)).values(used_at=_now())
    if (await connection.execute(used)).rowcount == 0:
        await connection.execute(delete(sign_ins).where(this))
        log("refresh_token.reused", "warning", user_id=caller.user_id)
        return False
    await connection.execute(insert(refresh_tokens).values(token_hash=successor, sign_in_id=caller.sign_in_id))
    at_last = sign_ins.c.began_at + timedelta(seconds=seconds_in_all)
    expires_at = func.least(_now() + timedelta(seconds=seconds), at_last)
    await connection.execute(update(sign_ins).where(this).values(expires_at=expires_at))
    return True


async def end_sign_in(connection: AsyncConnection, caller: Caller) -> bool:
    """End a sign-in; ``False`` when it has ended already."""
    this = (sign_ins.c.sign_in_id == caller.sign_in_id) & (sign_ins.c.user_id == caller.user_id)
    return (await connection.execute(delete(sign_ins).where(this))).rowcount > 0


async def change_password(
    connection: AsyncConnection, caller: Caller, verified: Credentials, new: Credentials, mac: bytes
) -> bool:
    """Replace the password and end all other sign-ins; ``False`` when it is no longer the one verified."""
    statement = (
        update(users)
        .where(
            users.c.user_id == caller.user_id,
            users.c.hashed_password == verified.hashed_password,
            users.c.rev == verified.rev,
        )
        .values(hashed_password=new.hashed_password, rev=new.rev, mac=mac)
    )
    if (await connection.execute(statement)).rowcount == 0:
        return False
    others = (sign_ins.c.user_id == caller.user_id) & (sign_ins.c.sign_in_id != caller.sign_in_id)
    await connection.execute(delete(sign_ins).where(others))
    return True
