"""The processes of a running Sanctum and its database, as whoever runs it on this machine may look at them."""

import os
from contextlib import suppress
from pathlib import Path

from local.certificates import Authority
from local.postgres import Postgres
from tests.support.running import Sanctum


def process_of(service: str, sanctum: Sanctum) -> Path:
    """The ``/proc`` folder of a service (``backend``, ``ai_core``), found by its command and its state folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            environment = environment_at(process)
        except OSError:
            continue  # it has just ended, or is somebody else's
        own = environment.get("TLS_CERT_FILE", "").startswith(str(sanctum.state))
        if [b"-m", service.encode()] == command[1:3] and own:
            return process
    raise LookupError(f"no process of {service} with its state in {sanctum.state}")


def server_of(state: Path) -> Postgres:
    """The database server that runs in a state folder."""
    data = state / "postgres"
    port = int((data / "cluster/data/postmaster.pid").read_text().splitlines()[3])
    return Postgres(data, Authority("unused"), port=port)


def environment_at(process: Path) -> dict[str, str]:
    """The environment a process was started with."""
    entries = (process / "environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def environment_of(service: str, sanctum: Sanctum) -> dict[str, str]:
    """The environment a service was started with."""
    return environment_at(process_of(service, sanctum))


def cpu_seconds(process: Path) -> float:
    """CPU time that a process has used, all its threads together."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(root: int) -> int:
    """Memory of a process and all its descendants; what they share is counted once (proportional set size)."""
    total = 0
    for process in _family(root):
        rollup = (process / "smaps_rollup").read_text()
        total += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def processes_named(name: str, root: int) -> list[Path]:
    """The ``/proc`` folders of the descendants of a process that run the program ``name``."""
    found = list[Path]()
    for process in _family(root):
        with suppress(OSError):  # it has just ended
            if (process / "comm").read_text().strip() == name:
                found.append(process)
    return found


def processes_told(words: str, root: int) -> list[Path]:
    """The ``/proc`` folders of the descendants of a process that have ``words`` among their arguments."""
    found = list[Path]()
    for process in _family(root):
        with suppress(OSError):  # it has just ended
            if words.encode() in (process / "cmdline").read_bytes().split(b"\0")[1:]:
                found.append(process)
    return found


def _family(root: int) -> list[Path]:
    """The ``/proc`` folders of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    family, found = list[Path](), [root]
    while found:
        process = found.pop()
        found += children.get(process, [])
        family.append(Path(f"/proc/{process}"))
    return family
