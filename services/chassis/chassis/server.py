"""Serves an application over TLS until SIGTERM, and then drains it."""

import gc
import signal
import socket
import ssl
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from chassis import logs
from chassis.connections import Connection
from chassis.descriptors import raise_limit
from chassis.self_signed import self_signed
from chassis.settings import ServiceSettings

WIND_DOWN_SECONDS = 10
"""What is cut off after the drain time has so long to say so to its client, before the connection is closed."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the idle time of what is in front (an ALB's default is 60), which must be the first to close."""


class _Server(uvicorn.Server):
    """On SIGTERM serves on while the load balancer may still send, then lets uvicorn finish what runs."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: ServiceSettings) -> None:
        super().__init__(config)
        self._app = app
        self._settings = settings
        self._exit_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what there is by now stays
        gc.enable()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self._exit_at is None:
            now = time.monotonic()
            self._exit_at = now + self._settings.deregistration_seconds
            # For the application: when to cut off what it still does.
            self._app.state.drain_until = now + self._settings.drain_seconds
            # Nobody is to keep a connection that will soon be closed, and send the next request as it is.
            self.config.encoded_headers.append((b"connection", b"close"))
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)


def tls_context(settings: ServiceSettings, client_ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer with forward secrecy; with ``client_ca_file`` only for clients it signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    if settings.tls_cert_file and settings.tls_key_file:
        context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(self_signed())
            file.flush()
            context.load_cert_chain(file.name)
    if client_ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca_file)
    return context


def _listen(settings: ServiceSettings) -> list[socket.socket] | None:
    """Sockets on the addresses that are named; ``None`` where none is."""
    return [
        socket.create_server((address, settings.port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        for address in settings.listen_addresses
    ] or None


def serve(
    app: FastAPI,
    settings: ServiceSettings,
    *,
    client_ca_file: Path | None = None,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve ``app`` until it is told to stop; returns when all that ran has ended or been cut off.

    Args:
        app: The application.
        settings: Port, certificate and grace periods.
        client_ca_file: Demand a client certificate signed by this CA.
        trusted_proxies: Networks (CIDR) whose ``X-Forwarded-For`` is believed.
    """
    logs.configure(settings.log_level)
    raise_limit()
    config = uvicorn.Config(
        app,
        host="",  # every IPv4 and IPv6 address
        port=settings.port,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(settings.drain_seconds - settings.deregistration_seconds + WIND_DOWN_SECONDS),
        ssl_context_factory=lambda _config, _default: tls_context(settings, client_ca_file),
    )
    _Server(config, app, settings).run(sockets=_listen(settings))
