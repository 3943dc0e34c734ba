"""Processes of a rehearsal: each with a log of its own, and ended when its block is left."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.failure import Failure
from local.unprivileged import dying_with_parent
from rehearsal.places import LOGS, ROOT

STOP_SECONDS = 20


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    ready: Callable[[int], bool],
    *,
    within: float = 60,
    stop: signal.Signals = signal.SIGTERM,
) -> Generator[None]:
    """Run ``command`` until the block is left; enter the block when it is ``ready``, which gets the process's id.

    Raises:
        Failure: it ended, or is not ready ``within`` seconds; has the end of its log.
    """
    path = LOGS / f"{name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*dying_with_parent("TERM"), *command],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the rehearsal, which ends all in order
        )
    try:
        until = time.monotonic() + within
        while not ready(process.pid):
            if process.poll() is not None or time.monotonic() > until:
                raise Failure(f"{name} does not start: {end_of(path)}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def end_of(path: Path) -> str:
    """The last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])
