"""``make smoke``: a person's whole life against a public address, by somebody who is erased at the end."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from tests.smoke.smoke import LEAST_SECONDS, Options, smoke


def _say(text: str) -> None:
    # Whoever read along went away, or a signal came in the middle of a line: that is no reason not to erase.
    with suppress(OSError, RuntimeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main() -> int:
    """Do what the command line says; 1 when something did not go as it should."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.smoke", description=__doc__)
    parser.add_argument("url", help="https://…, without a path")
    parser.add_argument("--ca", metavar="FILE", help="the only authority to believe (default: this machine's)")
    parser.add_argument("--within", type=float, default=usual.within, help="seconds for everything (%(default)s)")
    parser.add_argument("--settle", type=float, default=usual.settle, help="seconds for the first answer (%(default)s)")
    parser.add_argument(
        "--remembered",
        type=float,
        default=usual.remembered,
        help="seconds until something is remembered (%(default)s); 0: it need not be",
    )
    parser.add_argument("--notes", type=Path, default=usual.notes, help="folder of those not erased yet (%(default)s)")
    chosen = parser.parse_args()
    if chosen.within < LEAST_SECONDS:
        parser.error(f"--within is at least {LEAST_SECONDS}")
    try:
        passed = smoke(
            chosen.url, chosen.ca, Options(chosen.within, chosen.settle, chosen.remembered, chosen.notes), _say
        )
    except ValueError as error:
        parser.error(str(error))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
