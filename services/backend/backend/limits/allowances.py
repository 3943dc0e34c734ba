"""How much of what costs one person, or one address, may have in a window of time.

Counted in the database, so that all processes count together, a restart forgets nothing, and nothing that is deleted
is given back; a person's counts go with the person. A window begins with the first of what is counted in it, so that
one row a person and allowance is enough: around the end of a window there can be twice as many as in one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from asyncpg import ForeignKeyViolationError
from chassis.direct import Built, Connection
from chassis.problems import Problem
from sqlalchemy import Insert, Integer, Interval, Select, Table, bindparam, case, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from backend.schema import address_usage, person_usage
from backend.settings import Settings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LONGEST = DAY
"""After so long no count says anything."""

What = Literal["messages_minute", "messages_day", "conversations", "exports", "sign_ins", "refreshes", "registrations"]


@dataclass(frozen=True)
class Allowance:
    """So many of something in a window of time."""

    what: What
    most: int
    window: timedelta


class Allowances:
    """Those of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.messages = (
            Allowance("messages_minute", settings.messages_per_minute, timedelta(minutes=1)),
            Allowance("messages_day", settings.messages_per_day, DAY),
        )
        self.conversations = Allowance("conversations", settings.conversations_per_day, DAY)
        self.exports = Allowance("exports", settings.exports_per_day, DAY)
        self.sign_ins = Allowance("sign_ins", settings.sign_ins_per_hour, HOUR)
        self.refreshes = Allowance("refreshes", settings.refreshes_per_hour, HOUR)
        self.registrations = Allowance("registrations", settings.registrations_per_address_and_hour, HOUR)


def counting(what: What, table: Table, who: Select[Any]) -> Insert:
    """The statement that counts one more for those whom ``who`` selects, and returns those who had any left.

    It takes the values that ``values_of`` gives for an allowance of this name.
    """
    (key, kind) = table.primary_key.columns
    one = insert(table).from_select(
        [key.name, kind.name, "since", "used"], who.add_columns(literal(what), func.clock_timestamp(), literal(1))
    )
    over = table.c.since <= one.excluded.since - bindparam(f"{what}_window", type_=Interval())
    return one.on_conflict_do_update(
        index_elements=[key, kind],
        set_={
            "since": case((over, one.excluded.since), else_=table.c.since),
            "used": case((over, 1), else_=table.c.used + 1),
        },
        where=over | (table.c.used < bindparam(f"{what}_most", type_=Integer())),
    ).returning(key)


def values_of(allowance: Allowance) -> dict[str, Any]:
    """The values of the parameters of ``counting``."""
    return {f"{allowance.what}_window": allowance.window, f"{allowance.what}_most": allowance.most}


def _one(what: What) -> Built:
    (key, _) = _table(what).primary_key.columns
    return Built(counting(what, _table(what), select(bindparam("who", type_=key.type))))


def _seconds_left(what: What) -> Built:
    table = _table(what)
    (key, kind) = table.primary_key.columns
    left = table.c.since + bindparam("window", type_=Interval()) - func.clock_timestamp()
    used_up = table.c.used >= bindparam("most", type_=Integer())
    return Built(
        select(func.ceil(func.extract("epoch", left))).where(
            key == bindparam("who", type_=key.type), kind == what, used_up
        )
    )


def _table(what: What) -> Table:
    return address_usage if what == "registrations" else person_usage


_TAKE = {what: _one(what) for what in get_args(What)}
_SECONDS_LEFT = {what: _seconds_left(what) for what in get_args(What)}


async def take(connection: Connection, allowance: Allowance, who: UUID | str) -> None:
    """Count one more for a person or an address; for a person who has just been erased there is nothing to count.

    Raises:
        Problem: 429 when there was none left; ``Retry-After`` says when there is.
    """
    try:
        taken = await connection.rows(_TAKE[allowance.what], who=who, **values_of(allowance))
    except ForeignKeyViolationError:
        return
    if not taken:
        await refuse_used_up(connection, who, allowance)
        raise _used_up(1)  # the window has ended between the two statements


async def refuse_used_up(connection: Connection, who: UUID | str, *allowances: Allowance) -> None:
    """Return when there is something left of each allowance.

    Raises:
        Problem: 429 when there is not.
    """
    for allowance in allowances:
        values = {"who": who, "window": allowance.window, "most": allowance.most}
        for row in await connection.rows(_SECONDS_LEFT[allowance.what], **values):
            if row[0] > 0:
                raise _used_up(int(row[0]))


def _used_up(seconds: int) -> Problem:
    return Problem(429, "That was more than is allowed for now.", headers={"Retry-After": str(seconds)})
