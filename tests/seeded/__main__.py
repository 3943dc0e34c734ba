"""``python -m tests.seeded``: puts each fault into a copy of the sources and runs the tests that have to notice it."""

import argparse
import sys
import time

from local.opensearch_binaries import missing
from tests.seeded.fault import SECONDS_OF_ALL, Copy, Fault, copied
from tests.seeded.faults import ALL, DATABASE, QUICK, SEARCH


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tried(copy: Copy, fault: Fault) -> bool:
    """Whether ``fault`` is caught; says so."""
    begun = time.monotonic()
    verdict = copy.suffer(fault)
    told = "caught" if verdict.failed else "NOT CAUGHT"
    _say(f"{told:<10} {time.monotonic() - begun:5.1f} s  {fault.name}")
    if not verdict.failed:
        _say(verdict.output)
    return bool(verdict.failed)


def main() -> int:
    """Do what the command line says; 1 when a fault is not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.seeded", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of faults (default: all)")
    parts = parser.parse_args().names
    lacks = missing()
    faults = (*QUICK, *DATABASE) if lacks else ALL
    chosen = [fault for fault in faults if not parts or any(part in fault.name for part in parts)]
    with copied() as copy:
        tests = dict.fromkeys(test for fault in chosen for test in fault.tests)
        clean = copy.run(*tests, seconds=SECONDS_OF_ALL)
        _say(f"The tests of {len(chosen)} faults were run without any.")
        if not clean.passed:
            _say(f"The tests fail without any fault:\n{clean.output}")
            return 1
        caught = sum(tried(copy, fault) for fault in chosen)
    _say(f"{caught} of {len(chosen)} faults were caught.")
    if lacks:
        _say(f"{len(SEARCH)} were left out. {lacks}")
    return int(caught < len(chosen))


if __name__ == "__main__":
    sys.exit(main())
