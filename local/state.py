"""The state folder (``.sanctum``): one Sanctum at a time uses it, and says in ``up.json`` where it answers."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from local import files
from local.failure import Failure

STOP_SECONDS = 300
"""Longer than all grace periods of all processes together."""
GONE_SECONDS = 2
"""What a process needs at the most between letting go of its lock and its end."""


class State:
    """The folder, made where it is missing.

    Its lock is the kernel's: it ends with the process that holds it, however that ends.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.up_file = self.folder / "up.json"
        self._lock_file = self.folder / "lock"

    def private(self, name: str) -> Path:
        """A folder in it that only its owner may enter."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    @contextmanager
    def lock(self) -> Generator[bool]:
        """Hold the folder; gives whether it was free. What an earlier holder left in ``up.json`` is removed."""
        with os.fdopen(os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            self.up_file.unlink(missing_ok=True)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield True
            finally:
                self.up_file.unlink(missing_ok=True)

    def announce(self, url: str, ca: Path) -> None:
        """Write ``up.json``: it is up."""
        content = json.dumps({"url": url, "ca": str(ca), "pid": os.getpid()})
        files.write(self.up_file, content.encode(), mode=0o644)

    def address(self) -> str | None:
        """Where the Sanctum that holds the folder answers; waits while it starts, ``None`` when it ended."""
        while True:
            try:
                return json.loads(self.up_file.read_text())["url"]
            except FileNotFoundError:
                with self.lock() as free:
                    if free:
                        return None
            time.sleep(0.1)

    def stop_holder(self) -> bool:
        """Ask the process that holds the folder to stop and wait until it has; whether there was one.

        Raises:
            Failure: it does not stop.
        """
        asked = 0
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end:
            with self.lock() as free:
                if free:
                    _wait_gone(asked)
                    return asked > 0
            holder = self._lock_file.read_text()
            if holder and not asked:
                asked = int(holder)
                with suppress(ProcessLookupError):  # it has just ended by itself
                    os.kill(asked, signal.SIGTERM)
            time.sleep(0.05)
        raise Failure(f"Process {self._lock_file.read_text()} does not stop: end it with `kill -9`.")


def _wait_gone(process: int) -> None:
    """Wait a moment for the rest of a process that has let go of the folder, which ends by itself."""
    end = time.monotonic() + GONE_SECONDS
    while process and Path(f"/proc/{process}/exe").exists() and time.monotonic() < end:
        time.sleep(0.01)
