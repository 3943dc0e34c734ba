"""OpenSearch and its k-NN plugin as files in the checkout, out of Maven Central.

``python -m local.opensearch_binaries`` downloads and unpacks them where they are missing; it fails where they could not
run. The distribution is the one that OpenSearch's own integration tests use: no bundled JDK, no security plugin and no
native libraries, so plain HTTP, and exact search only, which is all that the memory asks for.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from local.failure import Failure

VERSION = "3.5.0"
SERVER = f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip"
KNN = f"org.opensearch.plugin:opensearch-knn:{VERSION}.0:zip"
DOWNLOAD_MB = 200
"""Both together."""
OLDEST_JAVA = 21
JDKS = Path("/usr/lib/jvm")
"""Where Debian, Ubuntu and others put them."""
FOLDER = Path(__file__).resolve().parent.parent / ".tools" / "opensearch"
INSTALLATION = FOLDER / VERSION


def missing() -> str | None:
    """What this machine lacks to run it, and how to install that."""
    try:
        java()
        if not INSTALLATION.exists():
            _maven()
    except Failure as failure:
        return str(failure)
    return None


def java() -> Path:
    """The ``java`` of a JDK that is new enough; its file ``release`` tells.

    Raises:
        Failure: there is none.
    """
    for home in _java_homes():
        release, program = home / "release", home / "bin" / "java"
        if release.exists() and program.exists():
            version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
            if version and int(version[1]) >= OLDEST_JAVA:
                return program
    raise Failure(
        f"OpenSearch needs a JDK {OLDEST_JAVA} or newer: `apt-get install openjdk-{OLDEST_JAVA}-jdk-headless`, or name "
        "the folder of one in JAVA_HOME."
    )


def _maven() -> str:
    if program := shutil.which("mvn"):
        return program
    raise Failure("OpenSearch is downloaded by Maven: `apt-get install maven`.")


def install() -> Path:
    """The installation, downloaded and unpacked where it is missing; one process does it and the others wait.

    Raises:
        Failure: it cannot be downloaded; says why.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLATION.exists():
            for broken_off in FOLDER.glob(".new-*"):
                shutil.rmtree(broken_off)
            with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".new-") as new:
                _unpack(_download(SERVER, Path(new)), _download(KNN, Path(new)), Path(new))
    return INSTALLATION


def _download(artifact: str, folder: Path) -> Path:
    _, name, version, kind = artifact.split(":")
    options = ("-q", "-B", "-Dstyle.color=never", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    command = [_maven(), *options, "dependency:copy"]
    done = subprocess.run(  # noqa: S603  # our own command line
        command, check=False, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode:
        reason = next((line for line in done.stdout.splitlines() if line.startswith("[ERROR]")), done.stdout).strip()
        raise Failure(f"Maven cannot download {name} {version} ({reason}): mend that and start again.")
    return folder / f"{name}-{version}.{kind}"


def _unpack(server: Path, knn: Path, folder: Path) -> None:
    with zipfile.ZipFile(server) as archive:
        archive.extractall(folder)
    unpacked = folder / f"opensearch-{VERSION}"
    with zipfile.ZipFile(knn) as archive:
        archive.extractall(unpacked / "plugins" / "opensearch-knn")
    unpacked.rename(INSTALLATION)


def _java_homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if program := shutil.which("java"):
        yield Path(program).resolve().parents[1]
    yield from sorted(JDKS.glob("*"))


if __name__ == "__main__":
    try:
        java()
        install()
    except Failure as failure:
        sys.exit(str(failure))
