"""cfn-lint over the templates of an assembly: is each what CloudFormation takes? About a second a template."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from infra.assurance.model.assembly import Stack
from infra.assurance.refusal import Refused
from infra.assurance.rules.finding import Finding, resource_of

JUDGE: Final = "cfn-lint"
"""What comes before `::` in its rules."""
REGION: Final = "us-east-1"
"""Whose resource types it goes by: all that are in use are there."""
_ENDS: Final = frozenset({0, 2, 4, 6, 8, 10, 12, 14})  # a bit each for errors, warnings, information


def judge(stacks: Iterable[Stack]) -> list[Finding]:
    """What it finds.

    Raises:
        Refused: it could not do its work.
    """
    by_file = {str(stack.file): stack for stack in stacks}
    program = Path(sys.executable).with_name(JUDGE)
    done = subprocess.run(  # noqa: S603  # a package's program
        [program, "--format", "json", "--regions", REGION, "--", *by_file], capture_output=True, text=True, check=False
    )
    if done.returncode not in _ENDS:
        raise Refused(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}", where=JUDGE)
    return [
        Finding(
            f"{JUDGE}::{found['Rule']['Id']}",
            resource_of(by_file[found["Filename"]], str([*found["Location"].get("Path", []), "", ""][1])),
            found["Message"],
            by_file[found["Filename"]].where,
        )
        for found in json.loads(done.stdout)
    ]
