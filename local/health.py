"""Asks a service on this machine whether it is ready, over verified TLS."""

import http.client
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from local.certificates import Leaf


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
    tls = ssl.create_default_context(cafile=ca)
    if client:
        tls.load_cert_chain(client.certificate, client.key)

    def ready(_pid: int) -> bool:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=tls)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    return ready
