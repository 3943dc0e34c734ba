"""The environment of the running services, as whoever runs Sanctum on this machine may read it."""

from pathlib import Path

from tests.e2e.conftest import Sanctum


def environment_of(service: str, sanctum: Sanctum) -> dict[str, str]:
    """The environment of a service's process (``backend``, ``ai_core``), found by its command and its state folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            entries = (process / "environ").read_text().split("\0")
        except OSError:
            continue  # it has just ended, or is somebody else's
        if [b"-m", service.encode()] == command[1:3]:
            environment = dict(entry.split("=", 1) for entry in entries if "=" in entry)
            if environment.get("TLS_CERT_FILE", "").startswith(str(sanctum.state)):
                return environment
    raise LookupError(f"no process of {service} with its state in {sanctum.state}")
