"""The AI core's application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chassis.application import create_app
from chassis.database import install_unavailable
from fastapi import FastAPI

from ai_core import memories, replies
from ai_core.core import open_core
from ai_core.settings import Settings

MAX_BODY_BYTES = 4 * 1024 * 1024
"""The backend bounds what people send; this bounds what a hundred long messages may take."""


def build(settings: Settings) -> FastAPI:
    """The application for ``settings``; it opens its stores and models when it starts."""

    async def ready() -> None:
        # The language model is not asked: no other task could do without it either.
        await app.state.core.store.check()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_core(settings) as core:
            app.state.core = core
            app.include_router(replies.router(core))
            app.include_router(memories.router(core))
            yield

    app = create_app(title="Sanctum AI core", lifespan=lifespan, ready=ready, max_body_bytes=MAX_BODY_BYTES)
    install_unavailable(app)
    return app
