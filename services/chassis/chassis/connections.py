"""What one connection may cost: bounds on size, number and time that uvicorn's protocol leaves open.

The parser (llhttp) itself refuses what could be read in two ways: two lengths, a length beside chunks, folded headers,
bare line feeds.
"""

import asyncio
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Request
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from chassis.logs import log
from chassis.problems import Problem, request_id
from chassis.requests import SECURITY_HEADERS

REQUEST_SECONDS = 30
"""How long a client may take to send a request, from its first byte (or from connecting) to the end of its body."""
WRITE_SECONDS = 60
"""How long an answer waits for a client that does not read."""
GOODBYE_SECONDS = 1
"""How long a client that waits for nothing may take to close its side when the server ends; TLS by itself waits 30."""
MOST_CONNECTIONS = 4_096
"""At the same time; each costs some 60 KB with its TLS."""
MOST_HEAD_BYTES = 32_768
"""Request line and headers together, trailers too; what is in front (an ALB) admits less."""
MOST_PIPELINED = 32
"""Requests that wait for the answer to an earlier one of the same connection."""

_BAD = Problem(400, "This is not HTTP as it must be; the connection is closed.")
_TOO_SLOW = Problem(408, "The request did not arrive in time.")
_HEAD_TOO_LONG = Problem(431, f"Address and headers have {MOST_HEAD_BYTES} bytes together at the most.")


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, within bounds. What breaks them is answered with a problem document where no other answer
    has begun, and the connection is closed.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0
        self._in_head = False
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's
        """Take a connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            log("connection.refused", "warning", connections=len(self.connections))
            transport.abort()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, its timers too."""
        super().connection_lost(exc)
        self._request_has_arrived()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read what has come, unless it is more than the head of a request may be."""
        if self.transport.is_closing():
            return
        self._await_request()
        super().data_received(data)
        # A header is told of when it is complete: one that never ends has to be counted as it comes.
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(_HEAD_TOO_LONG)

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError  # ends in send_400_response, which closes
        super().on_message_begin()
        self._head_bytes = 0
        self._in_head = True
        self._await_request()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or, after the body, a trailer: nothing here asks for any, so that none may pass for a header."""
        self._count(name + value)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: the request is answered from here on."""
        self._in_head = False
        if self.parser and self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise ValueError  # ends in send_400_response
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is there."""
        self._request_has_arrived()
        super().on_message_complete()

    def shutdown(self) -> None:
        """The server ends: close the connection as soon as nothing is under way on it."""
        idle = not self._answering() and not self.transport.get_write_buffer_size()
        super().shutdown()
        if idle:
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for it
        """Answer what the parser has refused."""
        self._refuse(_HEAD_TOO_LONG if self._head_bytes > MOST_HEAD_BYTES else _BAD)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def _count(self, piece: bytes) -> None:
        self._head_bytes += len(piece)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise ValueError  # ends in send_400_response

    def _await_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

    def _request_has_arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._answering() and (self.flow.read_paused or not self.cycle.more_body):
            self._await_request()  # it is we who are slow: we read nothing, or still answer the request before
        elif self._in_head or self._answering():
            self._refuse(_TOO_SLOW)
        else:
            # Nobody waits for an answer: a load balancer might take one for that to the next request.
            self.transport.close()

    def _answering(self) -> bool:
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)  # pyright: ignore[reportUnnecessaryComparison] - None before the first

    def _refuse(self, problem: Problem) -> None:
        """Close the connection, with an answer where it cannot be taken for that to an earlier request."""
        request = Request({"type": "http", "path": "", "headers": [], "query_string": b""})
        log("request.refused", "warning", status=problem.status, request_id=UUID(request_id(request)))
        waiting_for_body = self._answering() and self.cycle.more_body and not self.pipeline
        if not self._answering() or (waiting_for_body and not self.cycle.response_started):
            answer = problem.response(request)
            answer.headers.update(SECURITY_HEADERS | {"Connection": "close", "X-Request-ID": request_id(request)})
            head = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
            head += [name + b": " + value for name, value in answer.raw_headers]
            self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
