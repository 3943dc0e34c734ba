"""The yardstick: bare FastAPI endpoints with typed models and no database, on uvicorn as the backend is.

``python -m tests.benchmarks.bare PORT CERTIFICATE KEY`` answers ``GET /conversations`` with a page of 20, and
``POST /messages`` with a reply: the bodies are those of the backend's own routes.
"""

import sys
from datetime import UTC, datetime
from uuid import uuid4

import uvicorn
from backend.conversations.schemas import Conversation
from backend.messages.schemas import NewMessage, Reply
from backend.pages import Page
from fastapi import FastAPI


def build(rows: int = 20) -> FastAPI:
    """The application: two routes and nothing around them."""
    app = FastAPI()
    now = datetime.now(UTC)
    items = [Conversation(conversation_id=uuid4(), persona="Gem", created_at=now) for _ in range(rows)]
    page = Page(items=items, next=None)

    @app.get("/conversations")
    async def conversations() -> Page[Conversation]:
        """Always the same page."""
        return page

    reply = Reply(
        message_id=uuid4(),
        conversation_id=uuid4(),
        content="Tell me more.",
        created_at=now,
        status="complete",
        user_message_id=uuid4(),
    )

    @app.post("/messages")
    async def messages(message: NewMessage) -> Reply:  # noqa: ARG001 - read and checked, as the backend's is
        """Always the same reply."""
        return reply

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
