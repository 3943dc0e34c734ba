"""A PostgreSQL server with pgvector on this machine: TLS and SCRAM-SHA-256 over loopback, and no other way in."""

import json
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from local import files, postgres_binaries
from local.certificates import Authority, Leaf
from local.failure import Failure
from local.ports import free_port
from local.postgres_errors import explain
from local.unprivileged import Account, Command, accounts, dying_with_parent, give

TOOLS = Path(__file__).resolve().parent.parent / ".tools" / "postgres"
HBA = b"""\
# Written at each start. The first line that fits decides; what fits none is refused.
hostssl all all 127.0.0.1/32 scram-sha-256
"""
ADMIN = "sanctum_admin"
START_SECONDS = 60
"""Recovery after a crash included."""
STOP_SIGNAL = signal.SIGINT
"""PostgreSQL's fast shutdown: ends what runs, and waits for nobody."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_min_protocol_version": "TLSv1.2",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
    # What people wrote stands in statements and in the details of errors: neither goes to the log.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server with its data; as a context manager it runs.

    Args:
        folder: Where its data, certificate and log are; made where it is missing.
        authority: Signs the server's certificate.
        port: Where it listens; a free port where left out.
        durable: Whether what was committed survives a power failure; tests are faster without.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path, authority: Authority, *, port: int | None = None, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self.ca_file = self.folder / "ca.pem"
        self.admin_secret = self.folder / "admin.json"
        """``{"username", "password"}`` of the administrator, readable by the caller alone."""
        self.log_file = self.folder / "postgres.log"
        self._cluster = self.folder / "cluster"  # all that the server's own account may touch
        self.certificate = self._cluster / "server.pem"
        self._data = self._cluster / "data"
        self._authority = authority
        self._durable = durable
        self._owner: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._installation = postgres_binaries.install(TOOLS)
        self.environment = postgres_binaries.environment(self._installation)

    def prepare(self) -> Command:
        """Make all that the server needs where it is missing; returns the command line that runs it.

        Raises:
            Failure: it cannot run here, or the data are not fit to run on.
        """
        self._cluster.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = self._account()
        self._owner = account.owner
        leaf = self._certify()
        hba = self._cluster / "pg_hba.conf"
        files.write(hba, HBA)
        settings = SETTINGS | ({} if self._durable else NOT_DURABLE)
        settings |= {"port": str(self.port), "hba_file": str(hba)}
        settings |= {"ssl_cert_file": str(leaf.certificate), "ssl_key_file": str(leaf.key)}
        give(hba, account.owner)
        if not self._data.exists():
            self._initialize(account)
        if not self.admin_secret.exists():
            self._set_admin_password(account)
        # QUIT is PostgreSQL's immediate shutdown: what was committed is recovered at the next start.
        return (
            *account.prefix,
            *dying_with_parent("QUIT"),
            *self._program("postgres", "-D", str(self._data)),
            *(f"--{name}={value}" for name, value in settings.items()),
        )

    def renew_certificate(self, authority: Authority) -> None:
        """Put a certificate that ``authority`` signs in the place of the one before; the server reads it at SIGHUP."""
        self._authority = authority
        self._certify()

    def ready(self, pid: int) -> bool:
        """Whether the server that runs as process ``pid`` accepts connections."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # The file grows line by line: the process first, the eighth line last.
        return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:]] == ["ready"]

    def start(self) -> None:
        """Run the server as a child of this process; returns when it accepts connections.

        Raises:
            Failure: it ended, or did not start in time.
        """
        command = self.prepare()
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command line
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C on the terminal is not for it
            )
        end = time.monotonic() + START_SECONDS
        try:
            while self._process.poll() is None and time.monotonic() < end:
                if self.ready(self._process.pid):
                    return
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise
        self.stop()
        raise self.explain(self.log_file.read_text(errors="replace"))

    def stop(self) -> None:
        """End the server: what runs is rolled back, what was committed is on disk."""
        if self._process:
            self._process.send_signal(STOP_SIGNAL)
            self._process.wait()
            self._process = None

    def explain(self, output: str) -> Failure:
        """Why the server ended, from what it wrote."""
        return explain(output, self._data)

    def query(self, script: str, *, variables: Mapping[str, str] | None = None, **connection: str) -> str:
        """What the server answers to ``script``, as ``psql`` prints it without headings.

        Args:
            script: Statements and commands of ``psql``.
            variables: What ``:'name'`` and ``:"name"`` stand for in it.
            connection: Other than the administrator's: variables of libpq, such as ``PGUSER`` and ``PGDATABASE``.

        Raises:
            Failure: the server refuses.
        """
        admin = json.loads(self.admin_secret.read_text())
        environment = self.environment | {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": "postgres",
            "PGUSER": admin["username"],
            "PGPASSWORD": admin["password"],
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.ca_file),
        }
        options = (f"--set={name}={value}" for name, value in (variables or {}).items())
        psql = self._program("psql", "-XqAt", "--set=ON_ERROR_STOP=1", *options)
        done = self._run(psql, environment | connection, script)
        if done.returncode:
            raise Failure(f"PostgreSQL refuses: {done.stdout.strip()}")
        return done.stdout.strip()

    def create_database(self, name: str) -> None:
        """Make the database ``name`` where it is missing; nobody but its owner, the administrator, may connect to it.

        Raises:
            Failure: the server refuses.
        """
        script = r"""
            SELECT format('CREATE DATABASE %I', :'name')
            WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
            REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
        """
        self.query(script, variables={"name": name})

    def has_database(self, name: str) -> bool:
        """Whether there is a database ``name``.

        Raises:
            Failure: the server refuses.
        """
        return self.query("SELECT 1 FROM pg_database WHERE datname = :'name'", variables={"name": name}) == "1"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _program(self, name: str, *arguments: str) -> Command:
        return (str(self._installation / "bin" / name), *arguments)

    @staticmethod
    def _run(command: Command, environment: dict[str, str], script: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # our own command line
            command,
            env=environment,
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def _certify(self) -> Leaf:
        self._authority.write_certificate(self.ca_file)
        leaf = self._authority.issue_server("server", self._cluster)
        for file in (leaf.certificate, leaf.key):
            give(file, self._owner)
        return leaf

    def _account(self) -> Account:
        """The account with the fewest rights that reaches both the programs and the data."""
        said = ""
        for account in accounts():
            give(self._cluster, account.owner)
            check = (
                "sh",
                "-c",
                'test -w "$0" && exec "$@"',
                str(self._cluster),
                *self._program("postgres", "--version"),
            )
            done = self._run((*account.prefix, *check), self.environment)
            if done.returncode == 0:
                return account
            said += done.stdout
        raise explain(said, self._data)

    def _initialize(self, account: Account) -> None:
        """A new cluster. It gets its name last: a start that was broken off leaves none behind."""
        new = self._cluster / "new"
        shutil.rmtree(new, ignore_errors=True)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        command = self._program(
            "initdb",
            "-D",
            str(new),
            "-U",
            ADMIN,
            "--auth=reject",
            "--no-instructions",
            *locale,
            *(() if self._durable else ("--no-sync",)),
        )
        done = self._run((*account.prefix, *command), self.environment)
        if done.returncode:
            raise explain(done.stdout, self._data)
        new.rename(self._data)

    def _set_admin_password(self, account: Account) -> None:
        """Only the owner of the data can, while no server runs on them."""
        password = secrets.token_urlsafe(32)
        command = self._program(
            "postgres", "--single", "-D", str(self._data), "-c", "password_encryption=scram-sha-256", "postgres"
        )
        script = f"ALTER ROLE {ADMIN} PASSWORD '{password}'"
        done = self._run((*account.prefix, *command), self.environment, script)
        if done.returncode or "ERROR" in done.stdout:
            raise explain(done.stdout, self._data)
        files.write(self.admin_secret, json.dumps({"username": ADMIN, "password": password}).encode())
