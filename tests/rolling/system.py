"""Both services twice, each behind a load balancer, on a real PostgreSQL and before a model that takes its time."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from infra.services import Service, read_services
from infra.settings import read_environment
from local import key_file
from local.certificates import Authority
from local.postgres import Postgres
from tests.rolling.clients import SLOWLY
from tests.rolling.deployment import Deployment
from tests.rolling.instance import Instance
from tests.support.load_balancer import LoadBalancer
from tests.support.openai_server import REPLY, OpenAIServer, Script, chunk, saying, streaming

INSTANCES = 2
LONGER = 2
"""A slow reply takes so many times as long as an instance that is to end still gets something new."""
STORES = {"users": "backend", "memory": "ai_core"}
PLENTY = {
    # All clients come from one address, and whoever rolls over is not to be slowed down.
    "settings.requests_per_second_per_person": "100000",
    "settings.requests_per_second_per_address": "100000",
    "settings.messages_per_minute": "100000",
    "settings.replies_per_person": "100",
    "model.concurrency": "100",
}


@dataclass(frozen=True)
class System:
    """A deployment for each service, the public address of the whole, and who vouches for it."""

    url: str
    ca: Path
    backend: Deployment
    ai_core: Deployment
    postgres: Postgres
    databases: dict[str, str]

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Those that are called before those that call them."""
        return (self.ai_core, self.backend)


@asynccontextmanager
async def running(folder: Path, postgres: Postgres, scale: float) -> AsyncGenerator[System]:
    """Start everything; all of it is gone in the end.

    Args:
        folder: For files and logs.
        postgres: A server; two databases are made in it.
        scale: What the grace periods and the interval of health checks are multiplied by.
    """
    servers, clients = Authority("Rolling over"), Authority("Rolling over: clients")
    ca, client_ca = folder / "ca.pem", folder / "client-ca.pem"
    servers.write_certificate(ca)
    clients.write_certificate(client_ca)
    server, client = servers.issue_server("server", folder), clients.issue_client("client", folder)
    key_file.keep(folder / "key-service")
    services = read_services()
    databases = {store: f"rolling_{store}" for store in STORES}
    slow_seconds = LONGER * scale * max(service.grace.deregistration_seconds for service in services.values())

    def balance(service: Service) -> LoadBalancer:
        return LoadBalancer(
            folder / f"balancer-{service.name}",
            health=service.health,
            interval_seconds=service.health.interval_seconds * scale,
            ca=ca,
            server=server,
            # Where VPC Lattice is in the cloud, the load balancer is who knows the caller: here by its certificate,
            # which it also shows to the AI core.
            client_ca=None if service.public else client_ca,
            client=None if service.public else client,
        )

    with ExitStack() as stack:
        model = OpenAIServer(server.certificate, server.key, api_key="model key")
        model.scripts = [_taking_time(slow_seconds)]
        async with model:
            balancers = {name: stack.enter_context(balance(service)) for name, service in services.items()}
            values = _values(postgres, databases) | {
                "self.cert_file": str(server.certificate),
                "self.key_file": str(server.key),
                "self.client_ca_file": str(client_ca),
                "ai_core.url": f"https://localhost:{balancers['ai_core'].port}",
                "ai_core.ca_file": str(ca),
                "ai_core.client_cert_file": str(client.certificate),
                "ai_core.client_key_file": str(client.key),
                "signing_keys.location": str(folder / "signing-keys.json"),
                "keys.service": str(folder / "key-service"),
                "keys.epochs": str(folder / "epochs"),
                "keys.exports": str(folder / "exports"),
                "model.url": model.url,
                "model.ca_file": str(ca),
            }

            def deployment(service: Service) -> Deployment:
                grace, numbers = service.grace, itertools.count(1)
                own = values | {
                    "self.deregistration_seconds": str(grace.deregistration_seconds * scale),
                    "self.drain_seconds": str(grace.drain_seconds * scale),
                }
                log = folder / f"{service.name}.log"

                balancer = balancers[service.name]
                made = Deployment(balancer, scale, lambda: Instance(service, next(numbers), own, log))
                stack.callback(made.kill)
                return made

            deployments = {name: deployment(service) for name, service in services.items()}
            await _prepare(services, deployments, postgres, databases)
            for made in deployments.values():
                await asyncio.gather(*(made.start() for _ in range(INSTANCES)))
            yield System(
                url=f"https://localhost:{balancers['backend'].port}",
                ca=ca,
                backend=deployments["backend"],
                ai_core=deployments["ai_core"],
                postgres=postgres,
                databases=databases,
            )


def _values(postgres: Postgres, databases: dict[str, str]) -> dict[str, str]:
    """What the sources are worth that are the same for every instance."""
    settings = read_environment("dev")
    values = settings.service_values() | {
        "self.addresses": "127.0.0.1",
        "self.caller_auth": "mtls",
        "ai_core.caller_auth": "mtls",
        "settings.trusted_proxies": "127.0.0.0/8",
        "memory.kind": "pgvector",
        "model.provider": "openai",
        "model.name": "stand-in",
        "model.api_key": "model key",
        "model.context_tokens": str(settings.model.context_tokens),
        "model.reply_tokens": str(settings.model.reply_tokens),
        "model.timeout_seconds": str(settings.model.timeout_seconds),
    }
    for store, role in STORES.items():
        values |= {
            f"{store}.host": postgres.host,
            f"{store}.port": str(postgres.port),
            f"{store}.name": databases[store],
            f"{store}.user": role,
            f"{store}.password": secrets.token_urlsafe(32),
            f"{store}.ca_file": str(postgres.ca_file),
            f"{store}.connect_seconds": "5",
            f"{store}.quiet_seconds": "300",
            f"{store}.admin_secret": str(postgres.admin_secret),
        }
    return values | PLENTY


async def _prepare(
    services: dict[str, Service], deployments: dict[str, Deployment], postgres: Postgres, databases: dict[str, str]
) -> None:
    """What a first deployment does before there is an instance."""
    for database in databases.values():
        postgres.create_database(database)
    for name, service in services.items():
        for task in service.tasks:
            instance = deployments[name].make()
            if await asyncio.to_thread(instance.start(task).wait):
                raise RuntimeError(f"{name}.{task} failed:\n{instance.log.read_text()}")


def _taking_time(seconds: float) -> Script:
    """A model that answers at once, or in so many seconds whoever asks for that."""

    async def slowly() -> AsyncIterator[bytes]:
        for word in REPLY:
            yield chunk(word)
            await asyncio.sleep(seconds / len(REPLY))
        yield chunk(None, "stop")
        yield b"data: [DONE]\n\n"

    async def answer(request: web.Request) -> web.StreamResponse:
        said = (await request.json())["messages"][-1]["content"]
        # What was said before and has no reply yet stands before it.
        return await (streaming(slowly) if said.endswith(SLOWLY) else saying(*REPLY))(request)

    return answer
