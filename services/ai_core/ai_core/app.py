"""The AI core's application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chassis.application import create_app
from chassis.openapi import describe
from chassis.unavailable import install_unavailable
from fastapi import FastAPI

from ai_core import memories, replies
from ai_core.core import memory_store, open_core
from ai_core.settings import Settings

MAX_BODY_BYTES = 4 * 1024 * 1024
"""The backend bounds what people send; this bounds what a hundred long messages may take."""


def build(settings: Settings) -> FastAPI:
    """The application for ``settings``; it loads and connects when it starts.

    Raises:
        SystemExit: a variable of the memory store is missing or wrong.
    """
    store = memory_store(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_core(settings, store) as core:
            app.include_router(replies.router(core))
            app.include_router(memories.router(core))
            yield

    # The language model has no part in being ready: no other task could answer without it either.
    app = create_app(title="Sanctum AI core", lifespan=lifespan, ready=store.check, max_body_bytes=MAX_BODY_BYTES)
    if settings.memory_store == "opensearch":
        install_unavailable(app)
    else:
        from chassis.unavailable_database import install_unavailable_database  # noqa: PLC0415 - brings SQLAlchemy

        install_unavailable_database(app)
    describe(app, *replies.EVENTS)
    return app
