"""``python -m tests.erasure``: 50 people talk while 10 of them are erased and the epoch rolls twice."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.erasure.erasure import suffer
from tests.support.openai_server import stand_in
from tests.support.running import running


def main() -> int:
    """Do what the command line says; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.erasure", description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--leave", type=int, default=10)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two messages of one person")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, stand_in() as options, running(Path(folder, "state"), *options) as sanctum:
        result = suffer(sanctum, stay=chosen.people - chosen.leave, leave=chosen.leave, pause=chosen.pause)
    sys.stdout.write(f"{result}\n")
    return 1 if result.unkept else 0


if __name__ == "__main__":
    sys.exit(main())
