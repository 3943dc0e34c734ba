"""HTTP to OpenSearch over verified TLS, signed or with a client certificate, tried again where that may help.

What the memory asks for may be done twice: documents are created under their own ids, tombstones written on a
condition, everything else is a read or a deletion.
"""

import asyncio
import json
import random
import ssl
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chassis.http_client import aiohttp
from chassis.signing import NoCredentials, Signer
from pydantic import BaseModel
from yarl import URL

from ai_core.settings import MemorySettings

ATTEMPTS = 3
CONNECT_SECONDS = 3
ATTEMPT_SECONDS = 15
BATCH = 200
"""Documents a bulk request. With an embedding one takes up to 10 KiB, and the smallest instances accept 10 MiB."""

_TEMPORARY = (429, 502, 503, 504)
_BLOCK = "cluster_block_exception"
"""Of a 403: nothing may be written just now, because the index is being moved or the disk is full."""

Json = Mapping[str, Any]
Operation = tuple[Json, Json | None]
"""A line of a bulk request that says what to do, and the document to do it with where there is one."""


class StoreUnavailable(ConnectionError):
    """OpenSearch does not answer, or has no room for what is asked."""


class Refused(RuntimeError):
    """OpenSearch will not do what is asked, now or later. Shows no body, which may quote what a person said."""


class _Error(BaseModel):
    type: str = ""


class _Item(BaseModel):
    status: int
    error: _Error = _Error()

    def temporary(self) -> bool:
        return self.status in _TEMPORARY or (self.status == HTTPStatus.FORBIDDEN and self.error.type == _BLOCK)


class _Bulk(BaseModel):
    items: list[dict[str, _Item]]


class OpenSearchClient:
    """A pool of connections, opened with the first request.

    Args:
        url: ``https://`` and the host, without a path.
        signer: For the service ``es``, the payload included; left out where a certificate tells who is asking.
        tls: Whom to trust, and the certificate to show; the authorities of the system and none where left out.
    """

    def __init__(self, url: str, signer: Signer | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._tls = tls or _tls()
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, path: str, body: Json | None = None, *, also: Collection[int] = (), attempts: int = ATTEMPTS
    ) -> tuple[int, bytes]:
        """The status and the body of an answer that is a success, or has one of the statuses ``also``.

        The domain is documented to ignore URL parameters of a signed POST: one that has any is made by GET or PUT
        (https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-signing-service-requests.html).

        Raises:
            StoreUnavailable: no such answer came in ``attempts``.
            Refused: another one came.
        """
        return await self._call(method, path, None if body is None else _line(body), also, attempts)

    async def create(self, index: str, routing: str, documents: Mapping[str, Json]) -> None:
        """Store documents by id and return when searches find them; one whose id is taken stays as it was.

        Raises:
            StoreUnavailable: some are not stored; those that are may be stored again.
            Refused: one can never be stored.
        """
        operations = [({"create": {"_id": name, "routing": routing}}, each) for name, each in documents.items()]
        await self.bulk(index, operations, also=(HTTPStatus.CONFLICT,))

    async def bulk(
        self, index: str, operations: Sequence[Operation], *, also: Collection[int] = (), seen: bool = True
    ) -> None:
        """Do all of ``operations``, each a success or with one of the statuses ``also``.

        Args:
            index: An alias.
            operations: May be done twice, in any order.
            also: Statuses as of ``call``.
            seen: Return when searches see it.

        Raises:
            StoreUnavailable: some are not done.
            Refused: one can never be done.
        """
        path = f"/{index}/_bulk?require_alias=true{'&refresh=wait_for' if seen else ''}"
        waiting = list(operations)
        attempt = 0
        while waiting:
            batch, rest = waiting[:BATCH], waiting[BATCH:]
            body = b"".join(_line(line) + b"\n" for operation in batch for line in operation if line is not None)
            _, answer = await self._call("PUT", path, body, (), ATTEMPTS)
            done = [each for item in _Bulk.model_validate_json(answer).items for each in item.values()]
            failed = _not_done(batch, done, also)
            if failed:
                attempt += 1
                if attempt == ATTEMPTS:
                    raise StoreUnavailable
                await _pause(attempt)
            waiting = failed + rest

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def _call(
        self, method: str, path: str, body: bytes | None, also: Collection[int], attempts: int
    ) -> tuple[int, bytes]:
        for attempt in range(1, attempts + 1):
            failure: Exception | None = None
            try:
                status, answer = await self._send(method, path, body)
                if status < HTTPStatus.MULTIPLE_CHOICES or status in also:
                    return status, answer
                blocked = status == HTTPStatus.FORBIDDEN and _BLOCK.encode() in answer
                if status not in _TEMPORARY and not blocked:
                    raise Refused(f"{method} {path}: {status}")
            except (aiohttp.ClientError, OSError) as error:
                failure = error
            if attempt == attempts:
                raise StoreUnavailable from failure
            await _pause(attempt)
        raise AssertionError("attempts is at least 1")

    async def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        # What was signed is what must be sent: the address is not to be written in another way.
        url = self._url + path
        headers = await self._signer.headers(method, url, body) if self._signer else {}
        # Or the server compresses its answers, which takes more time than all else it does, and of cells gains nothing.
        headers["Accept-Encoding"] = "identity"
        if body is not None:
            headers["Content-Type"] = "application/json"
        address = URL(url, encoded=True)
        async with self._pool().request(method, address, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.read()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls),
                timeout=aiohttp.ClientTimeout(total=ATTEMPT_SECONDS, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def open_client(settings: MemorySettings) -> OpenSearchClient:
    """A client of the OpenSearch that ``settings`` name, with this process's credentials or certificate.

    Raises:
        SystemExit: there are none, or a file of ``settings`` cannot be used.
        ValueError: ``settings`` name another store.
    """
    if not settings.memory_url:
        raise ValueError("no address of OpenSearch")
    try:
        tls = _tls(settings.memory_ca_file)
        signer = Signer("es", sign_payload=True) if settings.memory_auth == "sigv4" else None
        if settings.memory_auth == "mtls" and settings.memory_client_cert_file:
            tls.load_cert_chain(settings.memory_client_cert_file, settings.memory_client_key_file)
    except (NoCredentials, OSError) as error:  # a file that is no certificate is an OSError too
        raise SystemExit(f"This process cannot start. MEMORY_STORE opensearch: {error}") from None
    return OpenSearchClient(settings.memory_url, signer, tls=tls)


def _tls(ca: Path | None = None) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=ca)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return tls


def _line(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _not_done(batch: Sequence[Operation], done: Sequence[_Item], also: Collection[int]) -> list[Operation]:
    """Those that may be done when asked again."""
    failed = [each.status >= HTTPStatus.MULTIPLE_CHOICES and each.status not in also for each in done]
    if refused := {each.status for each, bad in zip(done, failed, strict=True) if bad and not each.temporary()}:
        raise Refused(f"documents of a bulk request: {sorted(refused)}")
    return [operation for operation, bad in zip(batch, failed, strict=True) if bad]


async def _pause(attempt: int) -> None:
    # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    await asyncio.sleep(random.uniform(0, 0.25 * 2**attempt))  # noqa: S311 - no secret
