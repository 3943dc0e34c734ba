"""The long form of the fuzzing: ``make fuzz``, with other random calls by ``SEED=…``."""

import argparse
import sys
import tempfile
from pathlib import Path

from local.certificates import Authority
from local.postgres import Postgres
from tests.fuzz.fuzzing import calls, fuzz
from tests.fuzz.running import running

LEAST = 20_000
EXAMPLES = 3_000


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
            status = fuzz(backend, examples=EXAMPLES, seed=seed, show=True).returncode
            made = calls(backend)
    print(f"{made} calls, seed {seed}: {'all as documented' if status == 0 else 'see above'}")  # noqa: T201 - its output
    return status or int(made < LEAST)


if __name__ == "__main__":
    sys.exit(main())
