"""Ports on this machine."""

import errno
import socket
import time

from local.failure import Failure

ENDING_SECONDS = 3
"""How long the processes of a Sanctum that was killed may still hold its port."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def loopback_addresses() -> tuple[str, ...]:
    """127.0.0.1, and ::1 where IPv6 is not turned off."""
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1")


def check_free(port: int) -> None:
    """Make sure that a server can listen on ``port``.

    Raises:
        Failure: it cannot; the sentence says why.
    """
    end = time.monotonic() + ENDING_SECONDS
    while (error := _try(port)) == errno.EADDRINUSE and time.monotonic() < end:
        time.sleep(0.1)
    if error == errno.EADDRINUSE:
        raise Failure(
            f"Port {port} is in use: end what listens there, or choose another (`make up PORT=…`, 0 for any)."
        )
    if error:
        raise Failure(f"Port {port} is not for this account: choose one from 1024 to 65535 (`make up PORT=…`).")


def _try(port: int) -> int | None:
    for family, everywhere in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((everywhere, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return error.errno  # any other: this machine has no such addresses
    return None
