"""Puts the backend together."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chassis.application import create_app
from chassis.direct import Built, Direct
from chassis.openapi import describe
from chassis.problems import documented
from chassis.resting import Resting
from chassis.sealing.key_service import key_service
from chassis.unavailable_database import install_unavailable_database
from fastapi import FastAPI
from sqlalchemy import select
from starlette.middleware import Middleware

from backend import cors, housekeeping
from backend.ai_core import AiCore
from backend.auth.endpoints import router as auth
from backend.auth.passwords import Passwords
from backend.auth.service import Auth
from backend.auth.signing_keys import SigningKeys
from backend.auth.throttle import Throttle
from backend.auth.tokens import AccessTokens
from backend.conversations.endpoints import router as conversations
from backend.dependencies import PREFIX, Parts
from backend.erasures.endpoints import router as erasures
from backend.keys.epochs import epoch_keys
from backend.keys.person_keys import PersonKeys
from backend.keys.unavailable import install_unavailable_keys
from backend.limits.allowances import Allowances
from backend.limits.at_once import AtOnce
from backend.limits.middleware import TurnMiddleware, Turns
from backend.links import LINKS
from backend.messages.endpoints import EVENTS
from backend.messages.endpoints import router as messages
from backend.messages.sealing import keep_sealing
from backend.messages.service import Conversing
from backend.messages.words import Sealing
from backend.outbox import Outbox
from backend.renew_memories import keep_renewing
from backend.settings import Settings
from backend.users.endpoints import router as users
from backend.users.memories import router as memories

_NOTHING = Built(select())


async def _cut_off(app: FastAPI, conversing: Conversing) -> None:
    """Cut replies off when the drain time is over: soon enough for those who wait to be told."""
    while time.monotonic() < getattr(app.state, "drain_until", math.inf):  # noqa: ASYNC110 - set by a signal handler
        await asyncio.sleep(0.2)
    await conversing.cut_off()


def build(settings: Settings) -> FastAPI:
    """The application; nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        signing_keys = SigningKeys(settings.signing_keys)
        await signing_keys.read()
        resting = Resting(settings.database_quiet_seconds)
        direct = Direct(settings, size=20, used=resting.used)
        await direct.open()
        passwords = Passwords()
        tokens = AccessTokens(signing_keys, settings.access_token_seconds)
        keys = PersonKeys(direct, key_service(settings.key_service), epoch_keys(settings.epoch_keys))
        sealing = Sealing(direct, keys)
        ai_core = AiCore(settings)
        outbox = Outbox(direct, sealing, ai_core, resting)
        allowances = Allowances(settings)
        writing = settings.replies_per_person
        conversing = Conversing(direct, sealing, ai_core, outbox, allowances, replies_per_person=writing)
        lives = settings.refresh_token_seconds, settings.sign_in_seconds
        auth = Auth(direct, keys, passwords, Throttle(settings), tokens, allowances, *lives)
        turns = Turns(
            tokens,
            per_person=settings.requests_per_second_per_person,
            per_address=settings.requests_per_second_per_address,
        )
        app.state.parts = Parts(
            settings, direct, keys, sealing, ai_core, auth, outbox, conversing, allowances, AtOnce(1), turns
        )
        loops = [
            asyncio.create_task(loop)
            for loop in (
                outbox.run(),
                signing_keys.keep_fresh(),
                housekeeping.keep_clean(direct, settings, resting),
                keep_sealing(direct, sealing, resting),
                keep_renewing(direct, keys, ai_core, resting),
            )
        ]
        cut_off = asyncio.create_task(_cut_off(app, conversing))
        try:
            yield
        finally:
            drained = asyncio.create_task(conversing.drain())
            await asyncio.wait((drained, cut_off), return_when=asyncio.FIRST_COMPLETED)
            for task in (drained, cut_off):
                task.cancel()
            await conversing.cut_off()
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await ai_core.close()
            passwords.close()
            keys.close()
            await direct.close()

    async def ready() -> None:
        # The AI core is left out: without it people can still sign in and read, and to take every process of the
        # backend out of service would only make its failure everybody's.
        parts: Parts = app.state.parts
        await parts.direct.rows(_NOTHING)

    app = create_app(title="Sanctum", lifespan=lifespan, ready=ready, max_body_bytes=settings.max_body_bytes)
    install_unavailable_database(app)
    install_unavailable_keys(app)
    # Inside of what gives each answer its headers, which comes first in the list.
    app.user_middleware.append(Middleware(TurnMiddleware))
    cors.install(app, settings.cors_origins)
    for router in (auth, conversations, messages, users, memories, erasures):
        app.include_router(router, prefix=PREFIX, responses=documented(429))
    describe(app, *EVENTS, links=LINKS)
    return app
