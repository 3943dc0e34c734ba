"""The long form of the fuzzing: ``make fuzz``, with other random calls by ``SEED=…``."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from backend import links

from local.certificates import Authority
from local.postgres import Postgres
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.running import api_of, running

LEAST = 20_000
LINKS = sum(map(len, links.LINKS.values()))
"""Those that the document has by itself; schemathesis finds a few more."""
EXAMPLES = 3_000
SEQUENCES = 100
ROUNDS = 8
"""Times that sequences are tried: schemathesis ends a time early when a sequence comes out otherwise in its replay, as
one does in which an address is already registered."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Fuzz a backend that is started for it; the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seed", type=int, default=1)
    seed: int = parser.parse_args().seed
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)  # the database is another user's process where this one is root
        for part in ("postgres", "backend"):
            (folder / part).mkdir()
        with (
            Postgres(folder / "postgres", Authority("Sanctum tests"), durable=False) as postgres,
            running(postgres, folder / "backend") as backend,
        ):
            api, place = api_of(backend), folder / "backend"
            outcomes = [fuzz(api, place, examples=EXAMPLES, seed=seed, show=True)]
            for other in range(1, ROUNDS):
                one = fuzz(api, place, examples=SEQUENCES, seed=seed + other, sequences_alone=True)
                outcomes.append(one)
                if not one.passed:
                    _say(one.output)
    passed, calls = all(one.passed for one in outcomes), sum(one.calls for one in outcomes)
    links = sum((one.links for one in outcomes), Counter[str]())
    _say(f"{calls} calls, seed {seed}: {'all as documented' if passed else 'see above'}")
    _say(f"{len(links)} links led to an answer that is no error; the document has {LINKS}, the rest is inferred:")
    for link, times in sorted(links.items()):
        _say(f"{times:5} × {link}")
    return int(not passed or calls < LEAST or len(links) < LINKS)


if __name__ == "__main__":
    sys.exit(main())
