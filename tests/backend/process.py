"""A backend of the tests: the real process with the environment its ``service.toml`` gives it."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
from backend.keys.epochs import epoch_keys
from backend.keys.person_keys import PersonKeys
from backend.messages.words import Sealing
from backend.settings import Settings
from chassis.direct import Built, Direct
from chassis.sealing.key_service import key_service
from sqlalchemy import text

from infra.services import ROOT, Service, read_service
from local import key_file
from local.certificates import Authority, Leaf
from local.postgres import Postgres, free_port

SERVICE: Service = read_service(ROOT / "backend" / "service.toml")
DATABASE_PASSWORD = "a password of the tests"
ROLE = "backend"


@dataclass(frozen=True)
class Certificates:
    """Who trusts whom in these tests."""

    folder: Path
    authority: Path
    server: Leaf
    client_authority: Path
    client: Leaf

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        """New ones."""
        servers, clients = Authority("Sanctum tests"), Authority("Sanctum test clients")
        made = cls(
            folder,
            folder / "ca.pem",
            servers.issue_server("server", folder),
            folder / "client-ca.pem",
            clients.issue_client("backend", folder),
        )
        servers.write_certificate(made.authority)
        clients.write_certificate(made.client_authority)
        return made

    def ai_core_tls(self) -> ssl.SSLContext:
        """What the AI core demands: the backend's certificate and no other."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.client_authority)
        context.load_cert_chain(self.server.certificate, self.server.key)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass
class Backend:
    """How to run a backend; as a context manager it runs."""

    postgres: Postgres
    certificates: Certificates
    ai_core_port: int
    database: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Sources of ``service.toml`` other than the usual."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that ``service.toml`` leaves at what they are."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://localhost:{self.port}"

    @property
    def ca(self) -> Path:
        """Who vouches for it."""
        return self.certificates.authority

    @property
    def log(self) -> Path:
        """What it and its tasks have written."""
        return self.certificates.folder / f"{self.database}.log"

    @property
    def signing_keys(self) -> Path:
        """Where the keys are that its tokens are signed with."""
        return self.certificates.folder / f"{self.database}-keys.json"

    @property
    def key_file(self) -> Path:
        """What people's keys are wrapped with."""
        return self.certificates.folder / f"{self.database}-key-service"

    @property
    def epochs(self) -> Path:
        """Where epoch keys are."""
        return self.certificates.folder / f"{self.database}-epochs"

    def environment(self, task: str | None = None) -> dict[str, str]:
        """The environment of the service or of one of its tasks, and what coverage needs."""
        values = {
            "self.addresses": "127.0.0.1",
            "self.port": str(self.port),
            "self.cert_file": str(self.certificates.server.certificate),
            "self.key_file": str(self.certificates.server.key),
            "self.deregistration_seconds": "0",
            "self.drain_seconds": "20",
            "users.host": self.postgres.host,
            "users.port": str(self.postgres.port),
            "users.name": self.database,
            "users.user": ROLE,
            "users.ca_file": str(self.postgres.ca_file),
            "users.connect_seconds": "5",
            "users.quiet_seconds": "300",
            "users.password": DATABASE_PASSWORD,
            "users.admin_secret": str(self.postgres.admin_secret),
            "ai_core.url": f"https://localhost:{self.ai_core_port}",
            "ai_core.caller_auth": "mtls",
            "ai_core.ca_file": str(self.certificates.authority),
            "ai_core.client_cert_file": str(self.certificates.client.certificate),
            "ai_core.client_key_file": str(self.certificates.client.key),
            "signing_keys.location": str(self.signing_keys),
            "keys.service": str(self.key_file),
            "keys.epochs": str(self.epochs),
            "keys.exports": str(self.certificates.folder / f"{self.database}-exports"),
            "settings.log_level": "info",
            "settings.access_token_seconds": "900",
            "settings.refresh_token_seconds": "3600",
            "settings.sign_in_seconds": "7200",
            "settings.frontend_origins": "https://page.example,http://localhost:5173",
            "settings.trusted_proxies": "",
            "settings.max_body_bytes": "65536",
            "settings.max_message_characters": "4000",
            "settings.sign_in_failures_per_account": "10",
            "settings.sign_in_failures_per_address": "100",
            "settings.sign_in_window_seconds": "900",
            "settings.registrations_per_address_and_hour": "100000",
            "settings.sign_ins_per_hour": "100000",
            "settings.refreshes_per_hour": "100000",
            "settings.messages_per_minute": "100000",
            "settings.messages_per_day": "100000",
            "settings.conversations_per_day": "100000",
            "settings.exports_per_day": "100000",
            "settings.replies_per_person": "100000",
            "settings.requests_per_second_per_person": "10000",
            "settings.requests_per_second_per_address": "10000",
        } | dict(self.settings)
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        return (
            SERVICE.environment("local", values, task)
            | SERVICE.secret_sources("local", values)
            | {"PYTHONPATH": f"{ROOT / 'backend'}:{ROOT / 'chassis'}"}
            | dict(self.variables)
            | coverage
        )

    def run_task(self, task: str) -> None:
        """Run one of the service's tasks to its end."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-W", "error", "-m", SERVICE.tasks[task].module]
            subprocess.run(command, env=self.environment(task), stdout=log, stderr=log, check=True, timeout=60)

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", SERVICE.module]
            self.process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)
        tls = ssl.create_default_context(cafile=self.ca)
        with httpx.Client(base_url=self.url, verify=tls) as client:
            for _ in range(1200):
                if self.process.poll() is not None:
                    break
                try:
                    if client.get("/readyz").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise RuntimeError(self.log.read_text())

    def kill(self) -> None:
        """End the process without a warning."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End the process as a deployment does; its exit code."""
        assert self.process
        self.process.terminate()
        return self.process.wait(60)

    def prepare(self) -> None:
        """Make the database and the keys as a first deployment does."""
        self.postgres.create_database(self.database)
        key_file.keep(self.key_file)
        self.run_task("migrate")
        self.run_task("prepare_keys")
        self.run_task("rotate_keys")

    def copy(self, other: "Backend") -> None:
        """Make the database and the keys as those of ``other``, which nobody uses meanwhile."""
        script = 'CREATE DATABASE :"mine" TEMPLATE :"other"; GRANT CONNECT ON DATABASE :"mine" TO :"role"'
        self.postgres.query(script, variables={"mine": self.database, "other": other.database, "role": ROLE})
        shutil.copy(other.signing_keys, self.signing_keys)
        shutil.copy(other.key_file, self.key_file)
        shutil.copytree(other.epochs, self.epochs)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.stop()

    def read_settings(self, **other: object) -> Settings:
        """The settings of the process, some of them perhaps other."""
        environment: dict[str, object] = {name.lower(): value for name, value in self.environment().items()}
        return Settings.model_validate(environment | other)

    def keys(self, direct: Direct) -> PersonKeys:
        """People's keys, as the process has them."""
        return PersonKeys(direct, key_service(str(self.key_file)), epoch_keys(str(self.epochs)))

    def sealing(self, direct: Direct) -> Sealing:
        """What seals and opens messages, as the process does."""
        return Sealing(direct, self.keys(direct))

    def words(self, which: str = "true") -> list[str]:
        """What is said in the messages that the SQL condition ``which`` picks, in their order, opened."""
        return asyncio.run(self._words(which))

    async def _words(self, which: str) -> list[str]:
        direct = Direct(self.read_settings(), size=1)
        await direct.open()
        sealing = self.sealing(direct)
        try:
            # The condition is the test's own.
            chosen = f"SELECT user_id, message_id, content FROM messages WHERE {which} ORDER BY position"  # noqa: S608
            rows = await direct.rows(Built(text(chosen)))
            return [(await sealing.of(row.user_id)).open(row.message_id, row.content) for row in rows]
        finally:
            sealing.keys.close()
            await direct.close()

    def sql(self, statement: str, **variables: str) -> str:
        """What the administrator sees in the database; ``:'name'`` stands for a variable."""
        return self.postgres.query(statement, variables=variables, PGDATABASE=self.database)
