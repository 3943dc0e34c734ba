"""The FastAPI application every service starts from."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel

from chassis import problems
from chassis.logs import log
from chassis.openapi import describe
from chassis.problems import EVERYWHERE, Problem, ProblemDocument, documented
from chassis.requests import RequestMiddleware

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Health(BaseModel):
    """The answer of a health check that passed."""

    status: Literal["ok"] = "ok"


def create_app(*, title: str, lifespan: Lifespan, ready: Callable[[], Awaitable[None]], max_body_bytes: int) -> FastAPI:
    """An application with problem documents, request ids, a bounded body, ``/healthz`` and ``/readyz``.

    Args:
        title: Name of the API in its OpenAPI document.
        lifespan: What is opened before the first request and closed after the last.
        ready: Returns when every dependency answers, raises when one does not.
        max_body_bytes: A longer request is answered 413.
    """

    @asynccontextmanager
    async def logged(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(lifespan(app))
            except Exception as error:
                # The server tells of it in a library's line, which does not say why.
                log("start.failed", "error", error)
                raise
            yield

    app = FastAPI(
        title=title,
        version="1",
        lifespan=logged,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=documented(*EVERYWHERE),
    )
    problems.install(app)
    describe(app, ProblemDocument)
    app.add_middleware(RequestMiddleware, max_body_bytes=max_body_bytes)

    @app.get("/healthz", tags=["health"])
    async def healthz() -> Health:
        """The process lives. Asks nothing else, or a blip of a database would end every task."""
        return Health()

    @app.get("/readyz", tags=["health"], responses=documented(503))
    async def readyz() -> Health:
        """The dependencies answer."""
        try:
            await ready()
        except Exception as error:
            log("readiness.failed", "warning", error)
            raise Problem(503, "A dependency does not answer.", headers={"Retry-After": "5"}) from error
        return Health()

    return app
