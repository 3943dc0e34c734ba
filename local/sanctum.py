"""All of Sanctum on this machine: which processes there are, what each is told, in which order they start."""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from infra.services import Service, read_services
from infra.settings import read_environment
from local import health, key_file, llama, opensearch
from local.certificates import Authority, Leaf, lasts
from local.language_model import OtherModel
from local.memory import OpenSearchMemory, Store, elsewhere
from local.ports import free_port, loopback_addresses
from local.postgres import START_SECONDS, STOP_SIGNAL, Postgres
from local.schedule import Periodic, Schedule, seconds_of
from local.state import State
from local.supervisor import Program, Supervisor
from local.unprivileged import Command, dying_with_parent

ROOT = Path(__file__).resolve().parent.parent
DATABASES = {"users": "backend", "memory": "ai_core"}
"""The stores that are databases here, and the service (and role) that each belongs to."""
SMALL_MODEL_REPLY_TOKENS = 256

Task = tuple[Command, dict[str, str], Path]


class Sanctum:
    """Certificates, passwords and addresses of one start, and the processes that are given them.

    Passwords are made anew for each start; keys of leaves and the authority for clients also when certificates end.

    Args:
        state: Where everything is kept.
        port: The public port.
        other_model: A language model to use instead of the small one.
        limits_of: The environment whose limits people have; the rest is as in dev.
        memory: Where the AI core remembers.

    Raises:
        Failure: this machine lacks what that needs.
    """

    def __init__(
        self,
        state: State,
        port: int,
        other_model: OtherModel | None = None,
        *,
        limits_of: str = "dev",
        memory: Store = "pgvector",
    ) -> None:
        self._state = state
        self._certificates = state.private("certificates")
        for earlier in self._certificates.iterdir():  # what this start has no use for would be found outdated one day
            earlier.unlink()
        self._secrets = state.private("secrets")
        self._key_file = self._secrets / "key-service"
        key_file.keep(self._key_file)
        self.ca = state.folder / "ca.pem"
        self._services = read_services()
        self._authority, self._client, self._leaves = self._certify()
        self._ports = {name: port if service.public else free_port() for name, service in self._services.items()}
        self._postgres = Postgres(state.folder / "postgres", self._authority)
        self._search_folder = state.folder / "opensearch"
        self._opensearch = None
        if memory == "opensearch":
            self._opensearch = OpenSearchMemory(self._search_folder, self._certificates, self._authority, self.ca)
        self._model_port = None if other_model else free_port()
        self._values = self._shared_values(other_model, limits_of)
        self.url = f"https://localhost:{port}"

    def start(self, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        """Start everything; returns when all of it is ready.

        Raises:
            Failure: something does not start.
            Stopped: meanwhile somebody asked to stop.
        """
        if self._opensearch:
            self._opensearch.install(supervisor, say)
        parts = {"OpenSearch": self._opensearch, "the language model": self._model_port}
        say(f"Starting {' and '.join(['PostgreSQL', *(name for name, part in parts.items() if part)])} …")
        supervisor.start(self._postgres_program())
        if self._opensearch:
            self._opensearch.start(supervisor)
        supervisor.wait_ready()
        if self._model_port:
            supervisor.start(self._model_program(self._model_port))  # loads while the databases are prepared
        if other := self._other_memory():
            say(elsewhere(other))
        for database in DATABASES:
            if database != "memory" or not self._opensearch:
                self._postgres.create_database(database)
        say("Bringing the databases to this version …")
        for tasks in self._steps():
            supervisor.run_all(tasks)
        supervisor.wait_ready()
        for service in self._services.values():  # who is called before who calls
            say(f"Starting {service.name} …")
            supervisor.start(self._service_program(service))
            supervisor.wait_ready()

    def schedule(self) -> Schedule:
        """The tasks that run every so often, with what they are told at this start."""
        return Schedule(
            self._state.folder / "tasks.json",
            {
                f"{service.name}.{name}": Periodic(seconds, (*self._python(service, task.module, name), service.folder))
                for service in self._services.values()
                for name, task in service.tasks.items()
                if (seconds := seconds_of(task.when)) is not None
            },
        )

    def _other_memory(self) -> Store | None:
        """The store that this start does not use, where an earlier one did."""
        if self._opensearch:
            return "pgvector" if self._postgres.has_database("memory") else None
        return "opensearch" if opensearch.used(self._search_folder) else None

    def outdated(self) -> str | None:
        """Why it needs new certificates: one is not valid at this time, or not for much longer."""
        for certificate in (*self._certificates.glob("*.pem"), self._postgres.certificate):
            if not lasts(certificate):
                return f"{certificate} is not valid, or not for another day: the services get new ones and start again"
        return None

    def renew_certificates(self, supervisor: Supervisor) -> None:
        """Make all certificates anew and have them used; what needs none for that goes on.

        Raises:
            Failure: something does not start with them.
            Stopped: meanwhile somebody asked to stop.
        """
        self._authority, self._client, self._leaves = self._certify()
        self._postgres.renew_certificate(self._authority)
        if self._opensearch:
            self._opensearch.certify(self._authority)
        supervisor.renew_certificates()

    def _certify(self) -> tuple[Authority, Leaf, dict[str, Leaf]]:
        """New certificates, in the place of those before: the authority of them, the backend's, and of each server."""
        authority = Authority.kept("Sanctum on this machine", self.ca, self._secrets / "ca.key")
        # Its key is known to nobody and gone after this: who has a certificate of it is the backend.
        clients = Authority("Sanctum clients")
        clients.write_certificate(self._certificates / "clients.pem")
        return (
            authority,
            clients.issue_client("backend-client", self._certificates),
            {name: authority.issue_server(name, self._certificates) for name in (*self._services, "model")},
        )

    def _shared_values(self, other_model: OtherModel | None, limits_of: str) -> dict[str, str]:
        """What each source in a ``service.toml`` is worth here, but for those of ``self``."""
        settings = read_environment("dev").model_copy(update={"limits": read_environment(limits_of).limits})
        values = settings.service_values() | {"settings.trusted_proxies": "", "memory.kind": "pgvector"}
        if self._opensearch:
            values |= self._opensearch.values
        for database, role in DATABASES.items():
            values |= {
                f"{database}.host": self._postgres.host,
                f"{database}.port": str(self._postgres.port),
                f"{database}.name": database,
                f"{database}.user": role,
                f"{database}.password": secrets.token_urlsafe(32),
                f"{database}.ca_file": str(self.ca),
                f"{database}.connect_seconds": "5",
                f"{database}.quiet_seconds": "300",
                f"{database}.admin_secret": str(self._postgres.admin_secret),
            }
        values |= {
            "ai_core.url": f"https://127.0.0.1:{self._ports['ai_core']}",
            "ai_core.caller_auth": "mtls",
            "ai_core.ca_file": str(self.ca),
            "ai_core.client_cert_file": str(self._client.certificate),
            "ai_core.client_key_file": str(self._client.key),
            "signing_keys.location": str(self._secrets / "signing-keys.json"),
            "keys.service": str(self._key_file),
            "keys.epochs": str(self._state.folder / "epochs"),
            "keys.exports": str(self._state.folder / "exports"),
            "model.provider": "openai",
            "model.context_tokens": str(settings.model.context_tokens),
            "model.reply_tokens": str(settings.model.reply_tokens),
            "model.timeout_seconds": str(settings.model.timeout_seconds),
            "model.concurrency": str(settings.model.concurrency),
        }
        if other_model:
            return values | other_model.values()
        return values | {
            "model.url": f"https://127.0.0.1:{self._model_port}/v1",
            "model.ca_file": str(self.ca),
            "model.name": llama.NAME,
            "model.context_tokens": str(llama.CONTEXT_TOKENS),
            "model.reply_tokens": str(SMALL_MODEL_REPLY_TOKENS),
            "model.concurrency": str(llama.CONCURRENCY),
            # One person's replies leave room for another's.
            "settings.replies_per_person": str(llama.CONCURRENCY - 1),
            "model.api_key": secrets.token_urlsafe(32),
        }

    def _service_values(self, service: Service) -> dict[str, str]:
        leaf = self._leaves[service.name]
        return self._values | {
            "self.addresses": ",".join(loopback_addresses()) if service.public else "127.0.0.1",
            "self.port": str(self._ports[service.name]),
            "self.cert_file": str(leaf.certificate),
            "self.key_file": str(leaf.key),
            "self.deregistration_seconds": "0",  # no load balancer goes on sending
            "self.drain_seconds": str(service.grace.drain_seconds),
            "self.caller_auth": "mtls",
            "self.client_ca_file": str(self._certificates / "clients.pem"),
        }

    def _python(self, service: Service, module: str, task: str | None = None) -> tuple[Command, dict[str, str]]:
        """Command line and whole environment of a service or of one of its tasks."""
        values = self._service_values(service)
        environment = service.environment("local", values, task) | service.secret_sources("local", values)
        environment["PYTHONPATH"] = f"{service.folder}:{service.folder.parent / 'chassis'}"
        return (*dying_with_parent("KILL"), sys.executable, "-m", module), environment

    def _service_program(self, service: Service) -> Program:
        command, environment = self._python(service, service.module)
        client = None if service.public else self._client
        port = self._ports[service.name]
        return Program(
            name=service.name,
            command=command,
            environment=environment,
            folder=service.folder,
            ready=health.check(port, service.health.ready, self.ca, client=client),
            start_seconds=service.health.start_seconds,
            alive=health.check(port, service.health.live, self.ca, client=client),
            alive_seconds=service.health.interval_seconds,
            silences=service.health.unhealthy_count,
            stop_seconds=service.grace.stop_seconds,
        )

    def _steps(self) -> list[dict[str, Task]]:
        """The one-off tasks that are due: those of every deployment, and the first token signing key.

        Those of a service come one after another, in the order of its description; services side by side.
        """
        steps: list[dict[str, Task]] = []
        has_keys = Path(self._values["signing_keys.location"]).exists()
        for service in self._services.values():
            due = (
                (name, task)
                for name, task in service.tasks.items()
                if task.when == "deploy" or (name == "rotate_keys" and not has_keys)
            )
            for number, (name, task) in enumerate(due):
                if number == len(steps):
                    steps.append({})
                steps[number][f"{service.name}.{name}"] = (*self._python(service, task.module, name), service.folder)
        return steps

    def _model_program(self, port: int) -> Program:
        key, leaf = self._values["model.api_key"], self._leaves["model"]
        return Program(
            name="model",
            command=(*dying_with_parent("KILL"), sys.executable, "-m", "local.model"),
            environment={
                "PORT": str(port),
                "TLS_CERT_FILE": str(leaf.certificate),
                "TLS_KEY_FILE": str(leaf.key),
                "MODEL_API_KEY": key,
                "OMP_WAIT_POLICY": "PASSIVE",  # its threads sleep while they wait, and leave the cores to the services
            },
            folder=ROOT,
            ready=health.check(port, "/v1/models", self.ca, headers={"Authorization": f"Bearer {key}"}),
        )

    def _postgres_program(self) -> Program:
        return Program(
            name="postgres",
            command=self._postgres.prepare(),
            environment=self._postgres.environment,
            folder=self._postgres.folder,
            ready=self._postgres.ready,
            start_seconds=START_SECONDS,
            stop_signal=STOP_SIGNAL,
            stop_seconds=60,
            certificates="at SIGHUP",
            explain=self._postgres.explain,
        )
