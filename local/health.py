"""Asks a server on this machine whether it is ready, over verified TLS."""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from local.certificates import Leaf

TIMEOUT_SECONDS = 2


def check(
    port: int, path: str, ca: Path, *, client: Leaf | None = None, headers: Mapping[str, str] | None = None
) -> Callable[[int], bool]:
    """What tells whether ``https://127.0.0.1:port`` answers 200 at ``path``.

    Args:
        port: Where the service listens.
        path: What to ask for.
        ca: Authority that signed its certificate.
        client: Certificate to show, where it demands one.
        headers: To send with the request.
    """

    def ready(_pid: int) -> bool:
        tls = _trusting(ca, client)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS, context=tls)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    return ready


def shakes_hands(port: int, ca: Path, client: Leaf) -> Callable[[int], bool]:
    """What tells whether 127.0.0.1:``port`` still takes part in TLS, whatever is behind it."""

    def alive(_pid: int) -> bool:
        tls = _trusting(ca, client)
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as plain,
                tls.wrap_socket(plain, server_hostname="127.0.0.1"),
            ):
                return True
        except OSError:
            return False

    return alive


def _trusting(ca: Path, client: Leaf | None) -> ssl.SSLContext:
    """What the files say at this time: they may be renewed."""
    tls = ssl.create_default_context(cafile=ca)
    if client:
        tls.load_cert_chain(client.certificate, client.key)
    return tls
