"""The long form of the fuzzing: ``make fuzz``, with other random calls by ``SEED=…``."""

import argparse
import sys
import tempfile
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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Fuzz a backend that is started for it; the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seed", type=int, default=1)
    seed: int = parser.parse_args().seed
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # the database is another user's process where this one is root
        for part in ("postgres", "backend"):
            (folder / part).mkdir()
        with (
            Postgres(folder / "postgres", Authority("Sanctum tests"), durable=False) as postgres,
            running(postgres, folder / "backend") as backend,
        ):
            outcome = fuzz(api_of(backend), folder / "backend", examples=EXAMPLES, seed=seed, show=True)
    followed = [link for link, times in outcome.links.items() if times]
    _say(f"{outcome.calls} calls, seed {seed}: {'all as documented' if outcome.passed else 'see above'}")
    _say(f"{len(followed)} links led to an answer that is no error; the document has {LINKS}, the rest is inferred:")
    for link, times in sorted(outcome.links.items()):
        _say(f"{times:5} × {link}")
    return int(not outcome.passed or outcome.calls < LEAST or len(followed) < LINKS)


if __name__ == "__main__":
    sys.exit(main())
