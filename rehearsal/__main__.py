"""``make rehearse``: a deployment's whole life on this machine; ends with 1 where something is not as promised.

What it saw is written to ``build/rehearsal/README.md``, and with ``--write`` to ``rehearsal/README.md``.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable

from local.failure import Failure
from rehearsal import report
from rehearsal.places import FOLDER, ROOT
from rehearsal.steps import Life
from rehearsal.world import world

NEEDED = 3
"""How many of the first steps the others need: they end a rehearsal, and of the others each is taken."""


def main() -> int:
    """Do it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep what came out as rehearsal/README.md")
    parser.add_argument("--steps", type=int, metavar="N", help="only the first N (default: all)")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave nothing behind then either
    seen: list[report.Seen] = []
    began = time.monotonic()
    try:
        with world() as up:
            _say(f"{time.monotonic() - began:6.0f} s  everything that stands in for AWS is up")
            for name, step in list(Life(up).steps().items())[: chosen.steps]:
                seen.append(_take(name, step))
                if seen[-1].failed and len(seen) <= NEEDED:
                    break
    except Failure as failure:
        _say(f"Failed: {failure}")
        return 1
    except KeyboardInterrupt:
        _say("Stopped.")
        return 1
    text = report.page(seen, time.monotonic() - began)
    (FOLDER / "README.md").write_text(text)
    failed = any(step.failed for step in seen)
    if chosen.write and not failed:
        (ROOT / "rehearsal" / "README.md").write_text(text)
    return int(failed)


def _take(name: str, step: Callable[[], str]) -> report.Seen:
    start = time.monotonic()
    try:
        saw, failed = step(), False
    except Failure as failure:
        saw, failed = str(failure), True
    took = report.Seen(name, time.monotonic() - start, saw, failed=failed)
    _say(f"{took.seconds:6.0f} s  {name}: {'FAILED: ' if failed else ''}{saw}")
    return took


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
