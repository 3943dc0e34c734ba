"""A client that sends bytes, not requests."""

import socket
import ssl
from collections.abc import Iterable
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Self

from tests.support import canaries

PATIENCE_SECONDS = 20


class Wire:
    """One TLS connection, and what comes back over it."""

    def __init__(self, port: int, ca: Path) -> None:
        plain = socket.create_connection(("localhost", port), PATIENCE_SECONDS)
        self.socket = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="localhost")
        self._answers = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self.socket.close()

    def send(self, pieces: bytes | Iterable[bytes]) -> "Wire":
        """Send until all is sent or the other side has closed the connection."""
        try:
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                canaries.remember_json(piece.rpartition(b"\r\n\r\n")[2])
                self.socket.sendall(piece)
        except (ConnectionError, ssl.SSLError):
            pass  # what it said before can still be read
        return self

    def answer(self, method: str = "GET") -> tuple[int, dict[str, str], bytes] | None:
        """The next answer: status, headers (lower case) and body; ``None`` when the connection was closed instead."""
        try:
            if not self._answers.peek(1):
                return None
            response = HTTPResponse(_Reader(self._answers), method=method)  # pyright: ignore[reportArgumentType] - all it asks of a socket
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read()
        except (ConnectionError, ssl.SSLError):
            return None

    def answers(self) -> list[tuple[int, dict[str, str], bytes]]:
        """Every answer until the connection is closed."""
        found: list[tuple[int, dict[str, str], bytes]] = []
        while answer := self.answer():
            found.append(answer)
        return found


class _Reader:
    """What ``HTTPResponse`` wants of a socket: the file to read from, which outlives one answer."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def makefile(self, _mode: str) -> Any:
        return _Open(self._file)


class _Open:
    """The file, without its end: the next answer is read from it too."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        """Leave it open."""
