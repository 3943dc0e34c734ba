"""``python -m local.model``: the small language model as an OpenAI-compatible server over TLS, for the AI core.

The environment gives PORT (on 127.0.0.1), TLS_CERT_FILE, TLS_KEY_FILE and MODEL_API_KEY. Served are
``POST /v1/chat/completions`` (streaming or not) and ``GET /v1/models``.
"""

import asyncio
import hmac
import json
import os
from collections.abc import AsyncIterator

import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.llama import NAME, Json, Llama

DRAIN_SECONDS = 2
_BODY = TypeAdapter(Json)


def create_app(model: Llama, api_key: str) -> ASGIApp:
    """The application that answers for ``model`` to those who have the key."""

    async def complete(request: Request) -> Response:
        try:
            body = _BODY.validate_json(await request.body())
            if not body.get("stream"):
                answer = await run_in_threadpool(model.complete, body)
                return JSONResponse(answer, answer.get("error", {}).get("code", 200))
            chunks = _stream(model, body)
            first = await anext(chunks)
        except ValueError as error:
            return _error(400, "invalid_request_error", str(error))
        if "error" in first:
            return JSONResponse(first, first["error"].get("code", 500))
        return StreamingResponse(_events(first, chunks), media_type="text/event-stream")

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "local"}]})

    routes = [Route("/v1/chat/completions", complete, methods=["POST"]), Route("/v1/models", models)]
    return _with_key(Starlette(routes=routes), api_key)


def _with_key(app: ASGIApp, api_key: str) -> ASGIApp:
    expected = f"Bearer {api_key}".encode()

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict[bytes, bytes](scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, expected):
                await _error(401, "authentication_error", "wrong API key")(scope, receive, send)
                return
        await app(scope, receive, send)

    return checked


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"code": status, "type": kind, "message": message}}, status)


async def _stream(model: Llama, body: Json) -> AsyncIterator[Json]:
    """The chunks of an answer; who stops reading stops the model."""
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[Json | None] = asyncio.Queue()
    gone = False

    def on_chunk(chunk: Json) -> bool:
        loop.call_soon_threadsafe(chunks.put_nowait, chunk)
        return gone

    async def work() -> None:
        try:
            await run_in_threadpool(model.stream, body, on_chunk)
        finally:
            chunks.put_nowait(None)

    task = asyncio.create_task(work())
    try:
        while (chunk := await chunks.get()) is not None:
            yield chunk
        await task
    finally:
        gone = True


async def _events(first: Json, rest: AsyncIterator[Json]) -> AsyncIterator[str]:
    yield f"data: {json.dumps(first)}\n\n"
    async for chunk in rest:
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def main() -> None:
    """Serve until SIGTERM."""
    uvicorn.run(
        create_app(Llama(), os.environ["MODEL_API_KEY"]),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        ssl_certfile=os.environ["TLS_CERT_FILE"],
        ssl_keyfile=os.environ["TLS_KEY_FILE"],
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
