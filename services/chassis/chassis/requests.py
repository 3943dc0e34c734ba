"""What every request goes through, and what routes ask of a request's body."""

import time
from collections.abc import Awaitable, Callable
from typing import LiteralString, cast
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.logs import Word, log
from chassis.problems import Problem, request_id

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
"""OWASP REST security cheat sheet: what every answer of an API carries."""


class RequestMiddleware:
    """Gives each request an id, bounds its body, adds the security headers, answers what nobody expected,
    and logs how it ended.

    Starlette's own body limit answers in plain text; this one ends in the problem document of every other error.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        identifier = request_id(Request(scope))
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identifier
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if int(Headers(scope=scope).get("content-length", "0")) > self._max:
                too_long = Problem(
                    413, f"A request has {self._max} bytes at the most.", headers={"Connection": "close"}
                )
                await too_long.response(Request(scope))(scope, receive, send_with_headers)
            else:
                await self._app(scope, self._bounded(receive), send_with_headers)
        except Exception as error:
            # Answered here and not by an exception handler, whose answer would pass outside of this middleware.
            log("request.unexpected_error", "error", error, request_id=UUID(identifier))
            if status:
                raise  # half an answer is out: only the end of the connection can say so
            await _UNEXPECTED.response(Request(scope))(scope, receive, send_with_headers)
        finally:
            route = scope.get("route")
            log(
                "request.done",
                method=_METHODS.get(scope["method"], _OTHER),
                # The template of the path, which is ours, not the path, which is the caller's.
                route=Word(cast("LiteralString", getattr(route, "path", "none"))),
                status=status,
                # Who called, where the service has found out.
                user_id=scope.get("state", {}).get("user_id"),
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
                request_id=UUID(identifier),
            )

    def _bounded(self, receive: Receive) -> Receive:
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max:
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        return bounded


_UNEXPECTED = Problem(500, "Something went wrong on our side; the request id finds it in our logs.")
_METHODS = {name: Word(name) for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_OTHER = Word("other")


def takes(media_type: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency: the request's body, if it has one, must be ``media_type``.

    Raises:
        Problem: 415 when it is something else.
    """

    async def check(request: Request) -> None:
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if sent != media_type and (sent or await request.body()):
            raise Problem(415, f"The body must be {media_type}.", headers={"Accept": media_type})

    return check
