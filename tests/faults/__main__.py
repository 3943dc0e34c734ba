"""``make faults``: all faults, round after round, while more people talk than in the tests."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from local.memory import STORES as MEMORIES
from tests.faults.faults import CERTIFICATES, HANGS, KILLS, MODELS, STORES, Fault, suffer
from tests.faults.house import house
from tests.faults.load import WAYS, close
from tests.faults.memory_faults import MEMORY_FAULTS
from tests.support.person import Person


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Do what the command line says; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="each takes about four minutes")
    parser.add_argument("--memory", choices=MEMORIES, default=MEMORIES[0], help="where it remembers")
    parser.add_argument("--people", type=int, default=4 * len(WAYS))
    arguments = parser.parse_args()
    broken = 0
    with TemporaryDirectory() as folder, house(Path(folder) / "state", arguments.memory) as hurt:
        people = [Person(hurt.sanctum.url, hurt.sanctum.ca).register() for _ in range(arguments.people)]
        for number in range(1, arguments.rounds + 1):
            _say(f"Round {number}")
            for person in people:
                person.sign_in()  # a token lives a quarter of an hour
            memory: Mapping[str, Fault] = MEMORY_FAULTS if arguments.memory == "opensearch" else {}
            for faults in (KILLS, HANGS, MODELS | (STORES if hurt.small else {}), memory, CERTIFICATES):
                result = suffer(faults, hurt, people)
                _say(result)
                broken += len(result.unkept)
        close(people)
    _say(f"{broken} promises were broken." if broken else "Every promise was kept.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
