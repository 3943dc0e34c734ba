"""Aurora's front: TLS under the cluster's name, and IAM tokens, which a role that has ``rds_iam`` signs in with alone.

PostgreSQL's protocol as far as the sign-in goes (https://www.postgresql.org/docs/17/protocol-message-formats.html);
after it, bytes pass as they come. Who signs in with a password does so with PostgreSQL itself.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from weakref import WeakSet

from local.relay import relay
from rehearsal.fronts.emulator import Emulator
from rehearsal.fronts.names import Names

SSL_REQUEST, PROTOCOL = 80877103, 196608
PORT = 5432
START_BYTES = 10_000
LENGTH_BYTES, HEAD_BYTES = 4, 8
"""Of a message's length, and with the code after it."""
SIGN_IN_SECONDS = 30
ROLE_QUERY = "SELECT pg_has_role(rolname, 'rds_iam', 'MEMBER') AND NOT rolsuper FROM pg_roles WHERE rolname = $1"


class Refused(Exception):
    """What the caller is told: a code of SQLSTATE and a sentence."""


class Front:
    """Serves at ``address``, before the PostgreSQL at ``upstream`` on this machine, which trusts it.

    Args:
        emulator: Who decides whether a token is good.
        names: Which clusters there are.
        upstream: Port of PostgreSQL.
        needs_token: Whether a role has ``rds_iam``.
    """

    def __init__(
        self, emulator: Emulator, names: Names, upstream: int, needs_token: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._emulator, self._names, self._upstream, self._needs_token = emulator, names, upstream, needs_token
        self._open: set[asyncio.Task[None]] = set()
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()

    @asynccontextmanager
    async def serving(self, address: str, port: int = PORT) -> AsyncGenerator[int]:
        """Serve until the block is left; the port, which is another than tokens are for in tests alone."""
        self._tls = self._names.tls()
        async with await asyncio.start_server(self._connection, address, port) as listener:
            yield listener.sockets[0].getsockname()[1]
        for connection in self._open:
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # what is closed waits for its caller, who may be gone

    async def _connection(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task  # noqa: S101 - asyncio runs it as one
        self._open.add(task)
        self._writers.add(answers)
        try:
            with ExitStack() as opened, suppress(OSError, EOFError, TimeoutError, asyncio.CancelledError):
                opened.callback(answers.close)
                await self._serve(client, answers, opened)
        finally:
            self._open.discard(task)

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter, opened: ExitStack) -> None:
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                start = await self._sign_in(client, answers)
        except Refused as refused:
            answers.write(_error(*refused.args))
            await answers.drain()
            return
        server, requests = await asyncio.open_connection("127.0.0.1", self._upstream)
        opened.callback(requests.close)
        requests.write(start)
        await relay((client, answers), (server, requests))

    async def _sign_in(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> bytes:
        """What PostgreSQL is to be told first.

        Raises:
            Refused: the caller is not let in.
        """
        code, start = await _first(client)
        if code != SSL_REQUEST:
            raise Refused("28000", "no pg_hba.conf entry: no encryption (rds.force_ssl is on)")
        answers.write(b"S")
        await answers.drain()
        await answers.start_tls(self._tls)
        host = self._cluster()
        code, start = await _first(client)
        if code != PROTOCOL:
            raise Refused("08P01", "unsupported frontend protocol")
        given = dict(zip(*[iter(start[8:].split(b"\0"))] * 2, strict=False))
        user = given.get(b"user", b"").decode()
        if await self._needs_token(user):
            answers.write(b"R" + struct.pack("!ii", 8, 3))  # AuthenticationCleartextPassword, inside TLS
            await answers.drain()
            refusal = await self._emulator.database(host=host, port=PORT, user=user, token=await _password(client))
            if refusal is not None:
                print(f"PAM authentication failed for user {user}: {refusal}", flush=True)  # noqa: T201 - its log
                raise Refused("28000", f'PAM authentication failed for user "{user}"')
        return start

    def _cluster(self) -> str:
        """The one there is: which name the caller asked for, TLS has checked and not said."""
        clusters = [host for host, endpoint in self._names.endpoints.items() if endpoint.kind == "database"]
        if len(clusters) != 1:
            raise Refused("08006", f"{len(clusters)} clusters are deployed, not one")
        return clusters[0]


async def _first(client: asyncio.StreamReader) -> tuple[int, bytes]:
    """The code and the whole of a message that has no type: what a connection begins with."""
    head = await client.readexactly(HEAD_BYTES)
    length, code = struct.unpack("!ii", head)
    if not HEAD_BYTES <= length <= START_BYTES:
        raise Refused("08P01", "invalid length of startup packet")
    return code, head + await client.readexactly(length - HEAD_BYTES)


async def _password(client: asyncio.StreamReader) -> str:
    kind, length = struct.unpack("!ci", await client.readexactly(5))
    if kind != b"p" or not LENGTH_BYTES <= length <= START_BYTES:
        raise Refused("08P01", "expected password response")
    return (await client.readexactly(length - LENGTH_BYTES)).rstrip(b"\0").decode()


def _error(code: str, message: str) -> bytes:
    fields = b"".join(
        kind + value.encode() + b"\0"
        for kind, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", message))
    )
    return b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"
