"""``python -m tests.rolling``: the long form, ten thousand requests and more while both services are replaced.

Exit code 1 when one of them failed, a stream was cut off, or a message is not where it should be.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.certificates import Authority
from local.postgres import Postgres
from tests.rolling.rollover import roll_over

REQUESTS = 10_000
SCALE = 0.2
PAUSE_SECONDS = 0.02


def main() -> int:
    """Roll over, print what was seen; the exit code."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Postgres(folder / "postgres", Authority("Rolling over"), durable=False) as postgres:
            seen = asyncio.run(roll_over(folder, postgres, scale=SCALE, requests=REQUESTS, pause=PAUSE_SECONDS))
    told = sorted(seen.told.messages)
    astray = sorted(seen.stored) != told or sorted(set(seen.remembered)) != told
    print(f"{seen.told.answered} requests answered, {seen.told.streams} of them streams, {len(told)} messages")  # noqa: T201
    print(f"{len(seen.replaced)} instances replaced, exit codes {[one.exit_code for one in seen.replaced]}")  # noqa: T201
    print(f"{len(seen.told.failures)} failed; load balancers saw {len(seen.failed_lines)} fail; astray: {astray}")  # noqa: T201
    for failure in (*seen.told.failures[:10], *seen.failed_lines[:10]):
        print(failure)  # noqa: T201
    return bool(seen.told.failures or seen.failed_lines or astray)


if __name__ == "__main__":
    sys.exit(main())
