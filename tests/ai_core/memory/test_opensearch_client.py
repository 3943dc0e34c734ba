"""How OpenSearch is called: what is tried again, what is not, what is signed, and whom it trusts."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ai_core.memory import opensearch_client
from ai_core.memory.opensearch_client import (
    ATTEMPTS,
    BATCH,
    OpenSearchClient,
    Refused,
    StoreUnavailable,
    open_client,
)
from ai_core.settings import MemorySettings
from aiohttp import web
from chassis.signing import Signer

from local.ports import free_port
from local.tls_front import server_tls
from tests.ai_core.conftest import Files
from tests.support.aws import with_credentials
from tests.support.opensearch_domain import Domain, answering, breaking_off

pytestmark = pytest.mark.anyio
NOWHERE = f"http://127.0.0.1:{free_port()}"
DOCUMENTS: dict[str, dict[str, Any]] = {name: {"content": f"zymurgy {name}"} for name in ("one", "two", "three")}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_: int) -> None:
        pass

    monkeypatch.setattr(opensearch_client, "_pause", pause)


@pytest.fixture
async def domain() -> AsyncIterator[Domain]:
    """With nothing behind it: everything it says is scripted."""
    async with Domain(NOWHERE) as domain:
        yield domain


@pytest.fixture
async def client(domain: Domain, signer: Signer) -> AsyncIterator[OpenSearchClient]:
    client = OpenSearchClient(domain.url, signer)
    yield client
    await client.close()


def stored(*statuses: int) -> dict[str, Any]:
    """The answer to a bulk request."""
    return {"errors": True, "items": [{"create": {"_id": "x", "status": status}} for status in statuses]}


def ids(body: bytes) -> list[str]:
    """The documents of a bulk request."""
    lines = [json.loads(line) for line in body.splitlines()]
    return [line["create"]["_id"] for line in lines[::2]]


@pytest.mark.parametrize(
    "failure",
    [breaking_off, *(answering(status) for status in (429, 502, 503, 504))],
    ids=["broken", "429", "502", "503", "504"],
)
async def test_what_passes_is_tried_again(domain: Domain, client: OpenSearchClient, failure: Any) -> None:
    domain.scripts = [failure, failure, answering(200, {"ok": True})]
    assert await client.call("GET", "/_alias/x") == (200, b'{"ok": true}')
    assert [target for _, target, _ in domain.requests] == ["/_alias/x"] * 3


@pytest.mark.parametrize("failure", [breaking_off, answering(503)], ids=["broken", "503"])
async def test_what_does_not_pass_is_unavailable(domain: Domain, client: OpenSearchClient, failure: Any) -> None:
    domain.scripts = [failure] * (ATTEMPTS + 1)
    with pytest.raises(StoreUnavailable):
        await client.call("POST", "/x/_refresh")  # a broken GET aiohttp tries once more by itself
    assert len(domain.requests) == ATTEMPTS


async def test_nobody_there_is_unavailable(signer: Signer) -> None:
    client = OpenSearchClient(NOWHERE, signer)
    with pytest.raises(StoreUnavailable):
        await client.call("GET", "/")
    await client.close()


async def test_silence_is_unavailable(
    domain: Domain, client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_client, "ATTEMPT_SECONDS", 0.05)

    async def silent(_: Any) -> None:
        await asyncio.Event().wait()

    domain.scripts = [silent]
    with pytest.raises(StoreUnavailable):
        await client.call("GET", "/", attempts=1)


BLOCKED = {
    "error": {"type": "cluster_block_exception", "reason": "index [x] blocked by: [FORBIDDEN/8/index write (api)];"}
}


@pytest.mark.parametrize("failure", [answering(403, BLOCKED), answering(429, BLOCKED)], ids=["403", "429"])
async def test_a_block_on_writes_passes(domain: Domain, client: OpenSearchClient, failure: Any) -> None:
    """A 429 where the disk is full, a 403 where the index is being moved; other 403 are refusals."""
    domain.scripts = [failure, failure, answering(201)]
    assert (await client.call("PUT", "/x/_doc/1", {}))[0] == 201
    domain.scripts = [failure] * ATTEMPTS
    with pytest.raises(StoreUnavailable):
        await client.call("PUT", "/x/_doc/1", {})
    domain.scripts = [answering(403, {"message": "not authorized"})]
    with pytest.raises(Refused):
        await client.call("PUT", "/x/_doc/1", {})


async def test_a_block_on_some_documents_passes(domain: Domain, client: OpenSearchClient) -> None:
    blocked = {"create": {"_id": "x", "status": 403, **BLOCKED}}
    done = {"create": {"_id": "x", "status": 201}}
    domain.scripts = [answering(200, {"items": [blocked, done, blocked]}), answering(200, {"items": [done, done]})]
    await client.create("x", "a person", DOCUMENTS)
    assert [ids(body) for _, _, body in domain.requests] == [["one", "two", "three"], ["one", "three"]]
    refused = {"create": {"_id": "x", "status": 403, "error": {"type": "security_exception"}}}
    domain.scripts = [answering(200, {"items": [refused]})]
    with pytest.raises(Refused):
        await client.create("x", "a person", {"one": {}})


async def test_a_refusal_is_final_and_shows_no_words(domain: Domain, client: OpenSearchClient) -> None:
    domain.scripts = [answering(400, {"error": {"reason": "failed to parse [zymurgy]"}})]
    with pytest.raises(Refused) as refused:
        await client.call("PUT", "/x/_doc/1", {"content": "zymurgy"})
    assert len(domain.requests) == 1
    assert "zymurgy" not in repr(refused.value)


async def test_a_request_signed_with_other_credentials_is_refused(
    domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for all others: the domain does look at the signature."""
    with_credentials(monkeypatch)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "somebody else's key")
    client = OpenSearchClient(domain.url, Signer("es", sign_payload=True))
    with pytest.raises(Refused, match="403"):
        await client.call("GET", "/")
    await client.close()
    assert domain.requests == []


async def test_of_a_bulk_request_only_what_had_no_room_is_sent_again(domain: Domain, client: OpenSearchClient) -> None:
    domain.scripts = [answering(200, stored(201, 429, 409)), answering(200, stored(201))]
    await client.create("memories", "a person", DOCUMENTS)
    assert [ids(body) for _, _, body in domain.requests] == [["one", "two", "three"], ["two"]]


async def test_a_document_that_never_has_room_is_unavailable(domain: Domain, client: OpenSearchClient) -> None:
    domain.scripts = [answering(200, stored(201, 429, 201)), *[answering(200, stored(503))] * ATTEMPTS]
    with pytest.raises(StoreUnavailable):
        await client.create("memories", "a person", DOCUMENTS)
    assert [ids(body) for _, _, body in domain.requests] == [["one", "two", "three"], ["two"], ["two"]]


async def test_a_document_that_is_refused_is_said_to_be(domain: Domain, client: OpenSearchClient) -> None:
    domain.scripts = [answering(200, stored(201, 400, 429))]
    with pytest.raises(Refused, match=r"\[400\]") as refused:
        await client.create("memories", "a person", DOCUMENTS)
    assert len(domain.requests) == 1
    assert "zymurgy" not in repr(refused.value)


async def test_many_documents_go_in_several_requests(domain: Domain, client: OpenSearchClient) -> None:
    names = [str(number) for number in range(BATCH + 1)]
    domain.scripts = [answering(200, stored(*[201] * BATCH)), answering(200, stored(201))]
    await client.create("memories", "a person", {name: {} for name in names})
    assert [ids(body) for _, _, body in domain.requests] == [names[:BATCH], names[BATCH:]]


@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_domain_with_a_trusted_certificate_is_asked(
    trusted: bool, files: Files, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.server, files.server_key)
    async with Domain(NOWHERE, tls) as domain:
        domain.scripts = [answering(200)]
        client = OpenSearchClient(domain.url, signer)
        if trusted:
            await client.call("GET", "/")
        else:
            with pytest.raises(StoreUnavailable):
                await client.call("GET", "/")
        await client.close()
        assert len(domain.requests) == trusted


async def test_a_client_certificate_is_shown_and_nothing_is_signed(files: Files) -> None:
    said: list[str | None] = []

    async def let_in(request: web.Request) -> web.StreamResponse:
        said.append(request.headers.get("Authorization"))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/", let_in)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = server_tls(files.server, files.server_key, files.client_ca)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    address = f"https://127.0.0.1:{runner.addresses[0][1]}"

    def settings(**other: object) -> MemorySettings:
        own = {"memory_ca_file": files.ca, "memory_client_cert_file": files.client}
        own |= {"memory_client_key_file": files.client_key, "memory_url": address}
        return MemorySettings.model_validate({"memory_store": "opensearch", "memory_auth": "mtls", **own, **other})

    server_as_client = {"memory_client_cert_file": files.server, "memory_client_key_file": files.server_key}
    refused = ({"memory_ca_file": None}, {"memory_ca_file": files.client_ca}, server_as_client)
    for changed in refused:
        client = open_client(settings(**changed))
        with pytest.raises(StoreUnavailable):
            await client.call("GET", "/")
        await client.close()
    client = open_client(settings())
    assert await client.call("GET", "/") == (200, b"{}")
    await client.close()
    await runner.cleanup()
    assert said == [None]


async def test_no_compressed_answers_are_asked_for() -> None:
    accepted: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        accepted.append(request.headers.get("Accept-Encoding"))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = OpenSearchClient(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await client.call("GET", "/")
    await client.close()
    await runner.cleanup()
    assert accepted == ["identity"]
