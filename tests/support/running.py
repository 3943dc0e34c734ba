"""Starting Sanctum as ``make up`` does, apart from any other that runs on this machine."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LOCAL = [sys.executable, "-m", "local"]


@dataclass(frozen=True)
class Sanctum:
    """A running Sanctum: where it answers, the CA that names it, where its state is, its supervisor's process id."""

    url: str
    ca: Path
    state: Path
    pid: int
    seconds_to_start: float
    said: str = ""
    """What the start told whoever started it."""

    @property
    def port(self) -> int:
        """The public port."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def running(state: Path, *options: str, within: tuple[str, ...] = ()) -> Generator[Sanctum]:
    """Start Sanctum with its state in ``state`` and more options of ``python -m local up``; stop it in the end.

    ``within`` is what to put before the command line.
    """
    begun = time.monotonic()
    up = subprocess.run(
        [*within, *LOCAL, "up", "--detach", "--state", str(state), "--port", "0", *options],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if up.returncode:
        raise RuntimeError(up.stdout + up.stderr)
    try:
        seconds = time.monotonic() - begun
        started: dict[str, Any] = json.loads((state / "up.json").read_text())
        yield Sanctum(started["url"], Path(started["ca"]), state, started["pid"], seconds, up.stdout)
    finally:
        subprocess.run([*LOCAL, "down", "--state", str(state)], cwd=ROOT, check=True, capture_output=True, timeout=120)
