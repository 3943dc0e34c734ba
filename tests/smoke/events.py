"""A streamed reply, read as strictly as a browser reads it (HTML standard, "Server-sent events")."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse, IncompleteRead
from typing import Any

from tests.smoke.failures import Failed, described


@dataclass(frozen=True)
class Streamed:
    """A reply as it came."""

    message: dict[str, Any]
    pieces: int
    first_at: float
    """When the first piece came, on the monotonic clock."""


def read_reply(response: HTTPResponse) -> Streamed:
    """All of the stream.

    Raises:
        Failed: it is not ``delta`` events, then one ``message`` of just what they brought, and nothing after it.
        http.client.HTTPException: it was cut off.
    """
    kind = response.headers.get_content_type()
    if kind != "text/event-stream":
        raise Failed("the reply does not come as a stream of events")
    first_at, pieces, message = 0.0, list[str](), None
    for event in _events(_lines(response)):
        if message is not None:
            raise Failed("the stream goes on after its last event")
        match event:
            case {"type": "delta", "content": str(piece)} if piece:
                first_at = first_at or time.monotonic()
                pieces.append(piece)
            case {"type": "message", "message": {"content": str(), "status": "complete"}}:
                message = event["message"]
            case {"type": "error", "problem": problem}:
                raise Failed(f"the reply ended with an error: {described(json.dumps(problem))}")
            case _:
                raise Failed("the stream has an event that is not documented")
    if message is None:
        raise Failed("the stream ended without its last event")
    if not pieces or "".join(pieces) != message["content"]:
        raise Failed("the pieces of the stream are not what its last event says")
    return Streamed(message, len(pieces), first_at)


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    """As they come. Reading by line would take a connection that ends between two chunks for the end of the answer."""
    rest = b""
    while read := response.read1(65536):
        *whole, rest = (rest + read).split(b"\n")
        yield from whole
    if response.length:
        raise IncompleteRead(b"", response.length)
    if rest:
        yield rest


def _events(lines: Iterable[bytes]) -> Iterator[Any]:
    """Each event, when the empty line after it has come; a browser drops one that has none."""
    data = list[str]()
    for line in lines:
        text = _utf8(line).removesuffix("\r")
        if text.startswith("data:"):
            data.append(text.removeprefix("data:").removeprefix(" "))
        elif not text and data:
            yield _json("\n".join(data))
            data = []
        elif text and not text.startswith(":"):
            raise Failed("the stream has a line that is neither data nor a comment")
    if data:
        raise Failed("the stream ended in the middle of an event")


def _utf8(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Failed("the stream is not UTF-8") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Failed("the stream has an event that is no JSON") from None
