"""A small service on the chassis, for its tests: ``python -m tests.chassis.service``."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from chassis import connections, server
from chassis.application import create_app
from chassis.logs import log
from chassis.problems import documented
from chassis.requests import takes
from chassis.settings import ServiceSettings, read_settings
from fastapi import Depends, FastAPI, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

MAX_BODY_BYTES = 1000
STEPS = 10
STEP_SECONDS = 0.2


class Note(BaseModel):
    """Something with a rule."""

    text: str = Field(max_length=50)
    numbers: dict[str, int] = {}


def build(unready: Path) -> FastAPI:
    """The service; it is not ready while the file ``unready`` exists."""

    async def ready() -> None:
        if unready.exists():  # noqa: ASYNC240 - a test's file
            raise ConnectionError("zymurgy is away")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        log("service.closed")

    app = create_app(title="Test", lifespan=lifespan, ready=ready, max_body_bytes=MAX_BODY_BYTES)

    @app.post("/notes", dependencies=[Depends(takes("application/json"))], responses=documented(413, 415, 422))
    async def notes(note: Note) -> Note:
        return note

    @app.post("/sizes")
    async def sizes(body: Annotated[Note, Depends(lambda: Note(text=""))], response: Response) -> Note:
        response.headers["Cache-Control"] = "max-age=60"
        return body

    @app.get("/failures")
    async def failures() -> Note:
        raise RuntimeError("zymurgy is the secret word")

    _add_streams(app)
    return app


def _add_streams(app: FastAPI) -> None:
    @app.get("/streams")
    async def streams(steps: int = STEPS) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            for step in range(steps):
                yield f"{step}\n"
                await asyncio.sleep(STEP_SECONDS)

        return StreamingResponse(lines())

    @app.get("/floods")
    async def floods() -> StreamingResponse:
        async def blocks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(65_536)
                    await asyncio.sleep(0)  # as what is read from elsewhere
            finally:
                log("flood.ended")

        return StreamingResponse(blocks())


if __name__ == "__main__":
    server.WIND_DOWN_SECONDS = 1  # what is cut off here has nothing to say
    if "MOST_CONNECTIONS" in os.environ:
        connections.MOST_CONNECTIONS = int(os.environ["MOST_CONNECTIONS"])
        connections.REQUEST_SECONDS = connections.WRITE_SECONDS = 1
    server.serve(build(Path("unready")), read_settings(ServiceSettings))
