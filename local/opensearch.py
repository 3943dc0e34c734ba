"""A real OpenSearch with its k-NN plugin on this machine: the release that runs in the cloud.

It speaks plain HTTP on two ports of 127.0.0.1 and knows no callers (``local.opensearch_binaries`` says why): what is to
reach it from elsewhere goes through ``local.tls_front``.
"""

import http.client
import os
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local import files
from local.failure import Failure
from local.opensearch_binaries import install, java
from local.opensearch_errors import explain
from local.ports import free_port
from local.unprivileged import Account, Command, accounts, dying_with_parent, give

START_SECONDS = 240
"""Recovery after a crash included; about twelve seconds on an idle machine."""
JVM_OPTIONS = (
    *("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),  # starts sooner than its defaults
    "-XX:+ExitOnOutOfMemoryError",
    "--add-modules=jdk.incubator.vector",
    "-Dopensearch.distribution.type=zip",
)
SETTINGS = {
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    # By default it writes nothing to a disk that is nine tenths full, as that of many a laptop is.
    "cluster.routing.allocation.disk.watermark.low": "300mb",
    "cluster.routing.allocation.disk.watermark.high": "200mb",
    "cluster.routing.allocation.disk.watermark.flood_stage": "100mb",
}
LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%p] [%c{1}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class OpenSearch:
    """One server with its data.

    Args:
        folder: Where its data and settings are; made where it is missing.
        settings: Of OpenSearch, beside ``SETTINGS``.
        options: Of the JVM, beside ``JVM_OPTIONS``; they win.

    Raises:
        Failure: this machine lacks what it needs.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None, options: Sequence[str] = ()) -> None:
        self._java = java()
        self.folder = folder.absolute()
        self.port = free_port()
        self.environment = {"PATH": os.defpath}
        self._options = options
        self._settings = SETTINGS | {
            "http.port": str(self.port),
            "transport.port": str(free_port()),
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder),
            **(settings or {}),
        }

    @property
    def url(self) -> str:
        """Where it answers, in plain HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        """Make all that the server needs where it is missing; returns the command line that runs it.

        Raises:
            Failure: it cannot run here.
        """
        installation = install()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = "".join(f"{name}: {value}\n" for name, value in self._settings.items())
        files.write(self.folder / "opensearch.yml", settings.encode())
        files.write(self.folder / "log4j2.properties", LOGGING.encode())
        account = self._account(installation)
        return (
            *(*account.prefix, *dying_with_parent("KILL"), str(self._java), *JVM_OPTIONS, *self._options),
            f"-javaagent:{installation}/agent/opensearch-agent.jar",
            *(f"-Djava.io.tmpdir={self.folder}", f"-XX:ErrorFile={self.folder}/crash.log"),
            *(f"-Dopensearch.path.home={installation}", f"-Dopensearch.path.conf={self.folder}"),
            *("-cp", f"{installation}/lib/*", "org.opensearch.bootstrap.OpenSearch"),
        )

    def ready(self, _pid: int) -> bool:
        """Whether it answers, and has found again all that it had."""
        return self._answers("/_cluster/health?wait_for_status=yellow&timeout=1s")

    def alive(self, _pid: int) -> bool:
        """Whether it answers."""
        return self._answers("/")

    def explain(self, output: str) -> Failure:
        """Why the server ended, from what it wrote."""
        return explain(output, self.folder)

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _account(self, installation: Path) -> Account:
        """The account with the fewest rights that reaches the programs and the data: OpenSearch refuses root."""
        check = 'test -r "$0/lib" && test -w "$1" && exec "$2" -version'
        said = b""
        for account in accounts():
            give(self.folder, account.owner)
            command = [*account.prefix, "sh", "-c", check, str(installation), str(self.folder), str(self._java)]
            done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603  # our own command line
            if done.returncode == 0:
                return account
            said += done.stdout
        raise self.explain(said.decode(errors="replace"))


def used(folder: Path) -> bool:
    """Whether a server that worked in ``folder`` ever made an index there."""
    return any(folder.glob("data/nodes/*/indices/*"))


@contextmanager
def running(
    folder: Path, settings: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Generator[OpenSearch]:
    """A server that runs until the end of the block, with all that it writes in ``folder``; its data stay there.

    Raises:
        Failure: it ended, or did not start in time.
    """
    server = OpenSearch(folder / "opensearch", settings, options)
    command, log = server.prepare(), folder / "opensearch.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own command line
            command,
            env=server.environment,
            cwd=server.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not server.ready(process.pid):
            if process.poll() is not None or time.monotonic() > end:
                raise server.explain(log.read_text(errors="replace"))
            time.sleep(0.1)
        yield server
    finally:
        process.kill()  # what was acknowledged is on disk: nothing to write before the end
        process.wait()
