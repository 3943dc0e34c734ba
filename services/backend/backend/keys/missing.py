"""Keys for people who have none, because a version of before there were keys registered them."""

import asyncio
from uuid import UUID

from asyncpg import ForeignKeyViolationError
from chassis.direct import Built, Direct
from sqlalchemy import Integer, Uuid, bindparam, func, select

from backend.keys.person_keys import PURPOSES, PersonKeys
from backend.schema import user_keys, users

AT_ONCE = 4
PAGE = 200
NOBODY = UUID(int=0)
"""Comes before everybody."""

_has = select(func.count()).where(user_keys.c.user_id == users.c.user_id).scalar_subquery()
_WITHOUT = Built(
    select(users.c.user_id)
    .where(users.c.user_id > bindparam("after", type_=Uuid()), _has < len(PURPOSES))
    .order_by(users.c.user_id)
    .limit(bindparam("most", type_=Integer()))
)


async def give_keys(direct: Direct, keys: PersonKeys) -> int:
    """Make what is missing; how many people had something missing. Any number may do so at the same time."""
    given = 0
    after = NOBODY
    while people := [row.user_id for row in await direct.rows(_WITHOUT, after=after, most=PAGE)]:
        for first in range(0, len(people), AT_ONCE):
            await asyncio.gather(*(_give(direct, keys, user_id) for user_id in people[first : first + AT_ONCE]))
        given += len(people)
        after = people[-1]
    return given


async def _give(direct: Direct, keys: PersonKeys, user_id: UUID) -> None:
    new = await keys.make(user_id)
    try:
        async with direct.begin() as connection:
            await keys.create(connection, user_id, new)
    except ForeignKeyViolationError:
        pass  # erased meanwhile
