"""Removes what is over: sign-ins, refresh tokens, failed sign-ins, counts of what was used and idempotency keys."""

import asyncio
import random
from datetime import timedelta

from chassis.logs import log
from chassis.resting import Resting
from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.limits.allowances import LONGEST
from backend.messages.idempotency import LIFE
from backend.schema import address_usage, idempotency_keys, person_usage, refresh_tokens, sign_in_failures, sign_ins
from backend.settings import Settings

EVERY_SECONDS = 600

_now = func.clock_timestamp


async def clean(engine: AsyncEngine, settings: Settings) -> None:
    """Remove what is over now. A used refresh token is kept as long as an unused one would have been good."""
    refresh = timedelta(seconds=settings.refresh_token_seconds)
    window = timedelta(seconds=settings.sign_in_window_seconds)
    for statement in (
        delete(sign_ins).where(sign_ins.c.expires_at < _now()),
        delete(refresh_tokens).where(refresh_tokens.c.used_at < _now() - refresh),
        delete(sign_in_failures).where(sign_in_failures.c.failed_at < _now() - window),
        delete(person_usage).where(person_usage.c.since < _now() - LONGEST),
        delete(address_usage).where(address_usage.c.since < _now() - LONGEST),
        delete(idempotency_keys).where(idempotency_keys.c.created_at < _now() - LIFE),
    ):
        async with engine.begin() as connection:
            await connection.execute(statement)


async def keep_clean(engine: AsyncEngine, settings: Settings, resting: Resting) -> None:
    """Clean now and then, for ever, while the database is in use; the processes of a service not all at once."""
    while True:
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            async with resting.upkeep():
                await clean(engine, settings)
        except Exception as error:  # noqa: BLE001 - the database is away: later then
            log("housekeeping.failed", "warning", error)
