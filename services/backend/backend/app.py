"""Puts the backend together."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from chassis.application import create_app
from chassis.database import close_idle, connect
from chassis.direct import Built, Direct
from chassis.openapi import describe
from chassis.problems import documented
from chassis.resting import Resting
from chassis.unavailable import install_unavailable
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
from backend.limits.allowances import Allowances
from backend.limits.at_once import AtOnce
from backend.limits.middleware import TurnMiddleware, Turns
from backend.links import LINKS
from backend.messages.endpoints import EVENTS
from backend.messages.endpoints import router as messages
from backend.messages.service import Conversing
from backend.outbox import Outbox
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
        keys = SigningKeys(settings.signing_keys)
        await keys.read()
        # What a process may hold together is 20 connections.
        resting = Resting(settings.database_quiet_seconds)
        engine = connect(settings, pool_size=5, used=resting.used)
        direct = Direct(settings, size=10, used=resting.used)
        await direct.open()
        passwords = Passwords()
        tokens = AccessTokens(keys, settings.access_token_seconds)
        ai_core = AiCore(settings)
        outbox = Outbox(direct, ai_core, resting)
        allowances = Allowances(settings)
        conversing = Conversing(direct, ai_core, outbox, allowances, settings.replies_per_person)
        lives = settings.refresh_token_seconds, settings.sign_in_seconds
        auth = Auth(engine, direct, passwords, Throttle(settings), tokens, allowances, *lives)
        turns = Turns(
            tokens,
            per_person=settings.requests_per_second_per_person,
            per_address=settings.requests_per_second_per_address,
        )
        app.state.parts = Parts(
            settings, engine, direct, ai_core, auth, outbox, conversing, allowances, AtOnce(1), turns
        )
        loops = [
            asyncio.create_task(loop)
            for loop in (
                outbox.run(partial(close_idle, engine), direct.close_idle),
                keys.keep_fresh(),
                housekeeping.keep_clean(engine, settings, resting),
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
            await direct.close()
            await engine.dispose()

    async def ready() -> None:
        # The AI core is left out: without it people can still sign in and read, and to take every process of the
        # backend out of service would only make its failure everybody's.
        parts: Parts = app.state.parts
        await parts.direct.rows(_NOTHING)

    app = create_app(title="Sanctum", lifespan=lifespan, ready=ready, max_body_bytes=settings.max_body_bytes)
    install_unavailable(app)
    # Inside of what gives each answer its headers, which comes first in the list.
    app.user_middleware.append(Middleware(TurnMiddleware))
    cors.install(app, settings.cors_origins)
    for router in (auth, conversations, messages, users, memories):
        app.include_router(router, prefix=PREFIX, responses=documented(429))
    describe(app, *EVENTS, links=LINKS)
    return app
