"""The public address, and calls to it."""

import json
import math
import socket
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.smoke.clock import Clock
from tests.smoke.failures import Failed, Refused, TooOften, explained

API = "/api/v1"
TIMEOUT_SECONDS = 70
"""For each wait; a backend may wait 60 for a model, and 35 for a database that rests."""


@dataclass(frozen=True)
class Answer:
    """The whole answer to a call."""

    headers: Message
    body: bytes

    def json(self) -> Any:
        """Its content.

        Raises:
            Failed: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed("the answer is no JSON") from None


@dataclass(frozen=True)
class Call:
    """A request; ``body`` is sent as a form where it is one, else as JSON."""

    method: str
    path: str
    body: Mapping[str, str] | None = None
    form: bool = False
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def sent(self) -> tuple[bytes | None, dict[str, str]]:
        """Body and headers."""
        headers = {"User-Agent": "sanctum-smoke", **self.headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.body is None:
            return None, headers
        headers["Content-Type"] = "application/x-www-form-urlencoded" if self.form else "application/json"
        return (urlencode(self.body) if self.form else json.dumps(self.body)).encode(), headers


class Address:
    """Where Sanctum answers. Each call has a connection of its own, so that load balancers spread them."""

    def __init__(self, url: str, ca: str | None, clock: Clock, say: Callable[[str], None]) -> None:
        """``ca``: file of the only authority to believe; without, those of this machine.

        Raises:
            ValueError: ``url`` is no ``https://host[:port]``, or ``ca`` no file of certificates.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError(f"{url} is no https://host[:port]")
        self.host, self.port = parts.hostname, parts.port or 443
        self.url = f"https://{parts.netloc}"
        self.where = f"{self.host}:{self.port}"
        try:
            self.tls = ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise ValueError(f"{ca} is no file of certificates: {error.strerror or error}") from error
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._clock, self._say = clock, say

    def ask(self, call: Call, expected: int = 200) -> Answer:
        """The answer to ``call``; where it comes too often, as late as it is told to come again.

        Raises:
            Failed: there is none, or it has another status.
        """
        with self.opened(call, expected) as response:
            return Answer(response.headers, response.read())

    @contextmanager
    def opened(self, call: Call, expected: int = 200) -> Generator[HTTPResponse]:
        """The same, its body not read yet.

        Raises:
            Failed: there is none, it has another status, or it does not come to an end.
        """
        while True:
            with self._sent(call) as response:
                if response.status == expected:
                    yield response
                    return
                refused = Refused(response.status, response.headers, response.read())
                again = response.headers.get("Retry-After", "")
            if refused.status != HTTPStatus.TOO_MANY_REQUESTS or not again.isdecimal():
                raise refused
            if int(again) > self._clock.left:
                raise TooOften(refused, f"to be asked again in {again} s, of which {self._clock.left:.0f} are left")
            self._say(f"        too often: asked again in {again} s, as it says")
            time.sleep(int(again))

    @contextmanager
    def _sent(self, call: Call) -> Generator[HTTPResponse]:
        timeout = min(TIMEOUT_SECONDS, math.ceil(self._clock.left) + 1)
        connection = HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        body, headers = call.sent()
        try:
            connection.request(call.method, call.path, body, headers)
            yield connection.getresponse()
        except (OSError, HTTPException) as error:
            raise explained(error, self.where) from error
        finally:
            connection.close()

    @contextmanager
    def handshake(self, tls: ssl.SSLContext) -> Generator[ssl.SSLSocket]:
        """A connection as ``tls`` makes it.

        Raises:
            OSError: there is none.
        """
        with (
            socket.create_connection((self.host, self.port), TIMEOUT_SECONDS) as plain,
            tls.wrap_socket(plain, server_hostname=self.host) as sealed,
        ):
            yield sealed
