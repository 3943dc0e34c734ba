"""A disk of its own for PostgreSQL, small enough to fill, that is gone with the processes that see it."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path

SIZE = "256m"
_MOUNT = f'mount -t tmpfs -o size={SIZE},mode=755 tmpfs "$0" && exec "$@"'


def small_disk(folder: Path) -> tuple[str, ...]:
    """What to put before a command line for ``folder`` to be such a disk to it; empty where that is not allowed.

    Root makes a mount namespace; anybody else a user namespace around it, and goes back to their own id inside.
    """
    shell = ("sh", "-c", _MOUNT, str(folder))
    if os.geteuid() == 0:
        within = ("unshare", "--mount", *shell)
    else:
        own = (f"--map-user={os.getuid()}", f"--map-group={os.getgid()}")
        within = ("unshare", "--mount", "--map-root-user", *shell, "unshare", "--user", *own)
    return within if subprocess.run([*within, "true"], check=False, capture_output=True).returncode == 0 else ()


@contextmanager
def full(folder: Path) -> Generator[None]:
    """Leave not a page free on the disk that holds ``folder`` while inside the block."""
    ballast = folder / "ballast"
    size = 1 << 20
    try:
        with ballast.open("wb", buffering=0) as file:
            while size >= 4096:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != ENOSPC:
                        raise
                    size //= 2
        yield
    finally:
        ballast.unlink()
