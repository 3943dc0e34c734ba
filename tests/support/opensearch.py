"""A real OpenSearch with its k-NN plugin: the release that runs in the cloud, out of Maven Central.

The distribution is the one that OpenSearch's own integration tests use: no bundled JDK, no security plugin and no
native libraries, so plain HTTP on loopback, and exact search only, which is all that the memory asks for.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.ports import free_port
from local.unprivileged import Account, accounts, dying_with_parent, give

VERSION = "3.5.0"
SERVER = f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip"
KNN = f"org.opensearch.plugin:opensearch-knn:{VERSION}.0:zip"
TOOLS = Path(__file__).parents[2] / ".tools" / "opensearch"
OLDEST_JAVA = 21
START_SECONDS = 120

JVM_OPTIONS = (
    *("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),  # starts sooner than its defaults
    *("--add-modules=jdk.incubator.vector", "-javaagent:agent/opensearch-agent.jar"),
    "-Dopensearch.distribution.type=zip",
)
LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%p] [%c{1}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def missing() -> str | None:
    """What this machine lacks to run it, and how to install that."""
    if _java() is None:
        return f"OpenSearch needs a JDK {OLDEST_JAVA} or newer: apt-get install openjdk-{OLDEST_JAVA}-jdk-headless"
    if shutil.which("mvn") is None:
        return "OpenSearch is downloaded by Maven: apt-get install maven"
    return None


@contextmanager
def running(folder: Path) -> Generator[str]:
    """The address of a server that runs until the end of the block, with all that it writes in ``folder``.

    Raises:
        RuntimeError: it ended, or did not start in time; the text is its log.
    """
    installation = install()
    java = _java()
    assert java is not None
    own, port = folder / "opensearch", free_port()
    settings = {
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
        "path.data": own / "data",
        "path.logs": own,
        "cluster.routing.allocation.disk.threshold_enabled": "false",  # a full disk would make its indices read-only
    }
    own.mkdir()
    (own / "opensearch.yml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    (own / "log4j2.properties").write_text(LOGGING)
    account = _account(installation, java, own)
    command = (
        *(*account.prefix, *dying_with_parent("KILL"), str(java), *JVM_OPTIONS, f"-Djava.io.tmpdir={own}"),
        *(f"-Dopensearch.path.home={installation}", f"-Dopensearch.path.conf={own}"),
        *("-cp", f"{installation}/lib/*", "org.opensearch.bootstrap.OpenSearch"),
    )
    log = folder / "opensearch.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=installation, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(errors="replace"))
            time.sleep(0.1)
        yield url
    finally:
        process.kill()  # its data are thrown away: nothing to write before the end
        process.wait()


def install() -> Path:
    """The installation, downloaded and unpacked where it is missing; one process does it and the others wait."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    target = TOOLS / VERSION
    with (TOOLS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=TOOLS, prefix=".new-") as new:
                server, knn = (_download(artifact, Path(new)) for artifact in (SERVER, KNN))
                with zipfile.ZipFile(server) as archive:
                    archive.extractall(new)
                unpacked = Path(new, f"opensearch-{VERSION}")
                with zipfile.ZipFile(knn) as archive:
                    archive.extractall(unpacked / "plugins" / "opensearch-knn")
                unpacked.rename(target)
    return target


def _download(artifact: str, folder: Path) -> Path:
    _, name, version, kind = artifact.split(":")
    options = ("-q", "-B", "-Dstyle.color=never", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    subprocess.run(["mvn", *options, "dependency:copy"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return folder / f"{name}-{version}.{kind}"


def _java() -> Path | None:
    """The ``java`` of a JDK that is new enough; its file ``release`` tells."""
    for home in _java_homes():
        release, java = home / "release", home / "bin" / "java"
        if release.exists() and java.exists():
            version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
            if version and int(version[1]) >= OLDEST_JAVA:
                return java
    return None


def _java_homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob("*"))


def _account(installation: Path, java: Path, own: Path) -> Account:
    """The account with the fewest rights that reaches the programs and what the server writes: it refuses root."""
    check = 'test -r "$0/lib" && test -w "$1" && exec "$2" -version'
    said = b""
    for account in accounts():
        give(own, account.owner)
        command = [*account.prefix, "sh", "-c", check, str(installation), str(own), str(java)]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return account
        said += done.stdout
    raise RuntimeError(f"OpenSearch may not run as root, and no other account can: {said.decode(errors='replace')}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_cluster/health", timeout=5).is_success
    except httpx.TransportError:
        return False
