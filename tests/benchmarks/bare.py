"""The yardstick: a bare FastAPI endpoint with a typed model and no database, on uvicorn as the backend is.

``python -m tests.benchmarks.bare PORT CERTIFICATE KEY`` answers ``GET /conversations`` with a page of 20.
"""

import sys
from datetime import UTC, datetime
from uuid import uuid4

import uvicorn
from backend.conversations.schemas import Conversation
from backend.pages import Page
from fastapi import FastAPI


def build(rows: int = 20) -> FastAPI:
    """The application: one route and nothing around it."""
    app = FastAPI()
    now = datetime.now(UTC)
    items = [Conversation(conversation_id=uuid4(), persona="Gem", created_at=now) for _ in range(rows)]
    page = Page(items=items, next=None)

    @app.get("/conversations")
    async def conversations() -> Page[Conversation]:
        """Always the same page."""
        return page

    return app


if __name__ == "__main__":
    port, certificate, key = sys.argv[1:]
    uvicorn.run(
        build(),
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
