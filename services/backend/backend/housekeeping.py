"""Removes what is over: sign-ins, refresh tokens, failed sign-ins, counts of what was used and idempotency keys."""

import asyncio
import random
from datetime import datetime, timedelta

from chassis.direct import Built, Direct
from chassis.logs import log
from chassis.resting import Resting
from sqlalchemy import ColumnElement, Interval, Table, bindparam, delete, func

from backend.limits.allowances import LONGEST
from backend.messages.idempotency import LIFE
from backend.schema import address_usage, idempotency_keys, person_usage, refresh_tokens, sign_in_failures, sign_ins
from backend.settings import Settings

EVERY_SECONDS = 600


def _older(table: Table, since: ColumnElement[datetime]) -> Built:
    """Removes from ``table`` what is longer ago than ``life``."""
    return Built(delete(table).where(since < func.clock_timestamp() - bindparam("life", type_=Interval())))


_SIGN_INS = _older(sign_ins, sign_ins.c.expires_at)
_REFRESH_TOKENS = _older(refresh_tokens, refresh_tokens.c.used_at)
_FAILURES = _older(sign_in_failures, sign_in_failures.c.failed_at)
_PERSON_USAGE = _older(person_usage, person_usage.c.since)
_ADDRESS_USAGE = _older(address_usage, address_usage.c.since)
_IDEMPOTENCY_KEYS = _older(idempotency_keys, idempotency_keys.c.created_at)


async def clean(direct: Direct, settings: Settings) -> None:
    """Remove what is over now. A used refresh token is kept as long as an unused one would have been good."""
    for statement, life in (
        (_SIGN_INS, timedelta()),
        (_REFRESH_TOKENS, timedelta(seconds=settings.refresh_token_seconds)),
        (_FAILURES, timedelta(seconds=settings.sign_in_window_seconds)),
        (_PERSON_USAGE, LONGEST),
        (_ADDRESS_USAGE, LONGEST),
        (_IDEMPOTENCY_KEYS, LIFE),
    ):
        await direct.rows(statement, life=life)


async def keep_clean(direct: Direct, settings: Settings, resting: Resting) -> None:
    """Clean now and then, for ever, while the database is in use; the processes of a service not all at once."""
    while True:
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            async with resting.upkeep():
                await clean(direct, settings)
        except Exception as error:  # noqa: BLE001 - the database is away: later then
            log("housekeeping.failed", "warning", error)
