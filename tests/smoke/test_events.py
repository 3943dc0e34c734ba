"""A stream that a browser would not read is not read here either."""

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse

import pytest

from tests.smoke.events import read_reply
from tests.smoke.failures import Failed

MESSAGE = {"type": "message", "message": {"content": "Begin small.", "status": "complete"}}


def event(**members: object) -> bytes:
    return b"data: " + json.dumps(members).encode() + b"\n\n"


DELTAS = event(type="delta", content="Begin ") + b": still writing\n\n" + event(type="delta", content="small.")
WHOLE = DELTAS + event(**MESSAGE)


@contextmanager
def answering(body: bytes, kind: str = "text/event-stream", end: bytes = b"0\r\n\r\n") -> Generator[HTTPResponse]:
    """An answer with ``body`` in chunks, as it comes over a connection."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    chunks = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    server, client = socket.socketpair()
    with client, server:
        server.sendall(head + chunks + end)
        server.shutdown(socket.SHUT_WR)
        response = HTTPResponse(client)
        response.begin()
        with response:
            yield response


@pytest.mark.parametrize("body", [WHOLE, WHOLE.replace(b"\n", b"\r\n"), WHOLE.replace(b"data: ", b"data:")])
def test_a_reply_is_read_piece_by_piece(body: bytes) -> None:
    with answering(body, "text/event-stream; charset=utf-8") as response:
        reply = read_reply(response)
    assert (reply.message, reply.pieces) == (MESSAGE["message"], 2)


WRONG = {
    "nothing at all": b"",
    "no end": DELTAS,
    "no delta": event(**MESSAGE),
    "other words than its deltas": DELTAS + event(type="delta", content="!") + event(**MESSAGE),
    "an interrupted reply as if it were whole": DELTAS + WHOLE[len(DELTAS) :].replace(b"complete", b"interrupted"),
    "something after the end": WHOLE + event(type="delta", content="!"),
    "half an event after the end": WHOLE + b"data: {}\n",
    "an empty reply": event(type="message", message={"content": "", "status": "complete"}),
    "two ends": WHOLE + event(**MESSAGE),
    "no empty line after the last event": WHOLE.removesuffix(b"\n"),
    "an event that is none": WHOLE.replace(b'{"type": "delta"', b'"type": "delta"', 1),
    "an unknown event": event(type="thought", content="hm") + WHOLE,
    "an event without its type": event(content="hm") + WHOLE,
    "an empty delta": event(type="delta", content="") + WHOLE,
    "a line that is no data": b"<html>\n" + WHOLE,
    "no UTF-8": WHOLE.replace(b"small", b"sm\xffll"),
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_a_stream_that_is_not_as_documented_fails_and_is_not_quoted(body: bytes) -> None:
    with answering(body) as response, pytest.raises(Failed) as failed:
        read_reply(response)
    assert "small" not in str(failed.value)


def test_an_error_in_the_stream_is_told_by_its_problem() -> None:
    problem = {"type": "about:blank", "title": "Service Unavailable", "request_id": "9f-9", "detail": "Begin small."}
    with (
        answering(DELTAS + event(type="error", problem=problem)) as response,
        pytest.raises(Failed, match=r"problem about:blank \(Service Unavailable\), request 9f-9$"),
    ):
        read_reply(response)


@pytest.mark.parametrize("end", [b"", b"5\r\nda", b"nonsense\r\n"])
def test_a_connection_that_ends_before_the_answer_is_no_end(end: bytes) -> None:
    with answering(WHOLE, end=end) as response, pytest.raises(HTTPException):
        read_reply(response)


def test_an_answer_that_is_no_stream_fails() -> None:
    with answering(WHOLE, "application/json") as response, pytest.raises(Failed):
        read_reply(response)
