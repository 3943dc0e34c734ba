"""The front of the emulated OpenSearch Service and VPC Lattice, before servers that tell what they got."""

import json
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from infra.services import read_services
from rehearsal.authority import Authority
from rehearsal.fronts.emulator import Emulator, Endpoint
from rehearsal.fronts.health import Health
from rehearsal.fronts.https import Front
from rehearsal.fronts.names import Names

pytestmark = pytest.mark.anyio

DOMAIN, SERVICE = "memory.us-east-1.es.amazonaws.com", "ai-core.vpc-lattice-svcs.us-east-1.on.aws"


@pytest.fixture
def anyio_backend() -> str:
    """What the front runs on."""
    return "asyncio"


@dataclass
class World:
    """What is asked, and what asks."""

    session: aiohttp.ClientSession
    port: int
    health: Health
    endpoints: dict[str, Endpoint]
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reached: list[str] = field(default_factory=list[str])
    """What came to OpenSearch."""

    async def call(self, host: str, method: str = "GET", path: str = "/", **more: Any) -> tuple[int, Any]:
        """Status and document of an answer."""
        async with self.session.request(
            method,
            URL(f"https://127.0.0.1:{self.port}{path}", encoded=True),
            server_hostname=host,
            headers={"Host": host},
            **more,
        ) as answer:
            return answer.status, await answer.json()


async def _echo(request: web.Request) -> web.Response:
    body = (await request.read()).decode()
    return web.json_response({"method": request.method, "target": request.raw_path, "body": body})


@asynccontextmanager
async def _world(folder: Path) -> AsyncGenerator[World]:
    asked: list[dict[str, Any]] = []
    reached: list[str] = []

    async def opensearch_answers(request: web.Request) -> web.Response:
        reached.append(request.raw_path)
        return await _echo(request)

    async def decide(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response("not for you" if asked[-1]["target"].startswith("/secret") else None)

    decider, plain = web.Application(), web.Application()
    decider.router.add_post("/_rehearsal/refusal", decide)
    plain.router.add_route("*", "/{path:.*}", opensearch_answers)
    authority = Authority(folder / "authority")
    trust = ssl.create_default_context(cafile=authority.certificate)
    async with (
        TestServer(decider) as emulated,
        TestServer(plain) as opensearch,
        aiohttp.ClientSession() as asking,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, force_close=True)) as session,
    ):
        names = Names(Emulator(str(emulated.make_url("")).rstrip("/"), asking), authority)
        names.endpoints = {
            DOMAIN: Endpoint("domain", "arn:domain", "111122223333", "us-east-1", []),
            SERVICE: Endpoint("lattice", "arn:service", "111122223333", "us-east-1", []),
        }
        health = Health(names, read_services()["ai_core"].health)
        emulator = Emulator(str(emulated.make_url("")).rstrip("/"), asking)
        front = Front(emulator, names, health, str(opensearch.make_url("")).rstrip("/"), folder / "lattice.jsonl")
        async with front.serving("127.0.0.1", 0) as port:
            yield World(session, port, health, names.endpoints, asked, reached)


async def test_what_the_emulator_admits_is_passed_on_as_it_came(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        status, got = await world.call(DOMAIN, "POST", "/a/_search?x=%2F", data="words")
        assert (status, got) == (200, {"method": "POST", "target": "/a/_search?x=%2F", "body": "words"})
        (asked,) = world.asked
        assert (asked["host"], asked["method"], asked["target"]) == (DOMAIN, "POST", "/a/_search?x=%2F")
        assert asked["body"] == "d29yZHM="


async def test_what_the_emulator_refuses_reaches_nothing(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        assert await world.call(DOMAIN, path="/secret") == (403, {"message": "not for you"})
        assert world.reached == []


async def test_a_service_of_lattice_is_passed_on_to_healthy_tasks_alone(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _echo)
    task = TestServer(app, scheme="https")
    await task.start_server(ssl=Authority(tmp_path / "tasks").server("task.invalid"))
    async with _world(tmp_path) as world:
        assert (await world.call(SERVICE))[0] == 503
        target = task.make_url("").authority
        world.endpoints[SERVICE].targets.append(target)
        assert (await world.call(SERVICE))[0] == 503
        world.health.well.add(target)
        assert (await world.call(SERVICE, path="/replies"))[1]["target"] == "/replies"
    await task.close()


async def test_of_each_answer_it_is_noted_whether_it_ended_in_order(tmp_path: Path) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: the beginning\n\n")
        if request.path == "/cut" and request.transport:
            request.transport.abort()
        return answer

    app = web.Application()
    app.router.add_get("/{path:.*}", half)
    task = TestServer(app, scheme="https")
    await task.start_server(ssl=Authority(tmp_path / "tasks").server("task.invalid"))
    target = task.make_url("").authority
    before = time.time()
    async with _world(tmp_path) as world:
        world.endpoints[SERVICE].targets.append(target)
        world.health.well.add(target)
        for path in ("/cut", "/whole"):
            with suppress(aiohttp.ClientError):
                await world.call(SERVICE, path=path)
    rows = [json.loads(line) for line in (tmp_path / "lattice.jsonl").read_text().splitlines()]
    assert [(row["target"], row["kind"], row["in_order"]) for row in rows] == [
        (target, "text/event-stream", False),
        (target, "text/event-stream", True),
    ]
    assert all(before < row["begun"] < row["until"] < time.time() for row in rows)
    await task.close()


async def test_a_name_that_nothing_has_gets_no_handshake(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        with pytest.raises(aiohttp.ClientConnectorError):
            await world.call("other.us-east-1.es.amazonaws.com")
