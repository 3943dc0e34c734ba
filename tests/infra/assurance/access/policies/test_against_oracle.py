"""Decisions are those of an implementation of IAM that others wrote, wherever all of a request is known."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.infra.assurance.access.policies.cases import Case, Cases

CASES: Final = 2000
ORACLE: Final = Path(__file__).with_name("oracle.cjs")


def simulated(cases: Sequence[Case]) -> list[bool]:
    given = json.dumps([case.simulation() for case in cases])
    done = subprocess.run(["node", ORACLE], input=given, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return [result == "Allowed" for result in json.loads(done.stdout)]


def test_decisions_are_those_of_an_independent_implementation() -> None:
    cases = Cases(6)
    made = [cases.case() for _ in range(CASES)]
    decided = [case.decided() for case in made]
    differing = [case for case, ours, theirs in zip(made, decided, simulated(made), strict=True) if ours is not theirs]
    assert not differing, f"{len(differing)} of {CASES}, such as {differing[0]}"
    assert CASES / 10 < sum(decided) < CASES * 9 / 10, "too few cases are near the line"
