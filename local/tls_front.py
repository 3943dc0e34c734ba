"""``python -m local.tls_front``: ends TLS before a server that cannot, and lets in who has a client certificate.

The environment gives PORT (on 127.0.0.1), UPSTREAM_PORT (likewise), TLS_CERT_FILE, TLS_KEY_FILE and CLIENT_CA_FILE, the
authority of those who are let in. Bytes are passed as they come; nothing of them is looked at or logged.
"""

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path

from local.relay import relay

MOST_CONNECTIONS = 256
"""At a time, those that still shake hands included; more wait in the kernel's queue. Above the 100 that a client's pool
has at the most (``aiohttp.TCPConnector``)."""
HANDSHAKE_SECONDS = 5
UPSTREAM_SECONDS = 3


def server_tls(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer for whoever shows a certificate that ``client_ca`` signed, and for nobody else."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(client_ca)
    tls.load_cert_chain(certificate, key)
    return tls


async def serve(listener: socket.socket, tls: ssl.SSLContext, upstream_port: int) -> None:
    """Take connections from ``listener`` until cancelled, and pass what they carry to 127.0.0.1:``upstream_port``."""
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(MOST_CONNECTIONS)
    async with asyncio.TaskGroup() as connections:
        while True:
            await room.acquire()
            connection, _ = await loop.sock_accept(listener)
            task = connections.create_task(_connection(connection, tls, upstream_port))
            task.add_done_callback(lambda _: room.release())


async def _connection(connection: socket.socket, tls: ssl.SSLContext, upstream_port: int) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    with suppress(OSError, TimeoutError):  # whoever is not let in, or is gone; an SSLError is an OSError
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=HANDSHAKE_SECONDS,
        )
        client = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await _pass_on(reader, client, upstream_port)
        finally:
            client.close()


async def _pass_on(reader: asyncio.StreamReader, client: asyncio.StreamWriter, upstream_port: int) -> None:
    """Both ways, until either side ends."""
    async with asyncio.timeout(UPSTREAM_SECONDS):
        answers, server = await asyncio.open_connection("127.0.0.1", upstream_port)
    try:
        await relay((reader, client), (answers, server))
    finally:
        server.close()


async def main() -> None:
    """Serve what the environment says."""
    files = (Path(os.environ[name]) for name in ("TLS_CERT_FILE", "TLS_KEY_FILE", "CLIENT_CA_FILE"))
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=MOST_CONNECTIONS) as listener:
        listener.settimeout(0)  # the event loop waits instead
        await serve(listener, server_tls(*files), int(os.environ["UPSTREAM_PORT"]))


if __name__ == "__main__":
    asyncio.run(main())
