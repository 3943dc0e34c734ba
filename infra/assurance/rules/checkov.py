"""checkov over the templates of an assembly, the last of the tools: it sees least, and takes half a minute.

It pins an old boto3, so it lives in an environment of its own: `make .tools/checkov/.stamp`, from
`tools/checkov/requirements.txt`. It asks no network.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json
from infra.assurance.refusal import Refused
from infra.assurance.rules.finding import Finding, resource_of

JUDGE: Final = "checkov"
"""What comes before `::` in its rules."""
PROGRAM: Final = Path(__file__).parents[3] / ".tools" / JUDGE / "bin" / JUDGE
_OPTIONS: Final = ("--framework", "cloudformation", "--output", "json", "--compact", "--quiet", "--skip-download")
_ENDS: Final = frozenset({0, 1})


def judge(stacks: Sequence[Stack], program: Path = PROGRAM) -> list[Finding]:
    """What it finds.

    Raises:
        Refused: it is not installed, or could not read a template.
    """
    if not program.is_file():
        raise Refused("is not installed: `make .tools/checkov/.stamp`", where=JUDGE)
    with TemporaryDirectory() as folder:
        for number, stack in enumerate(stacks):
            Path(folder, f"{number}.json").write_text(json.dumps(stack.template), encoding="utf-8")
        done = subprocess.run(  # noqa: S603  # a package's program
            [program, "--directory", folder, *_OPTIONS], capture_output=True, text=True, check=False, cwd=folder
        )
        if done.returncode not in _ENDS:
            raise Refused(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}", where=JUDGE)
    return sorted({finding for results in _results(done.stdout) for finding in _findings(results, stacks)})


def _results(output: str) -> list[dict[str, Json]]:
    report = json.loads(output)
    listed = cast("list[dict[str, Json]]", report if isinstance(report, list) else [report])
    # Where it has nothing to judge, it says so with counts alone.
    found = [judged["results"] for judged in listed if "results" in judged]
    if unread := [file for results in found for file in results.get("parsing_errors", ())]:
        raise Refused(f"cannot read {len(unread)} templates", where=JUDGE)
    return found


def _findings(results: dict[str, Json], stacks: Sequence[Stack]) -> list[Finding]:
    return [
        Finding(
            f"{JUDGE}::{failed['check_id']}",
            resource_of(stack, str(failed["resource"]).rpartition(".")[2]),
            failed["check_name"],
            stack.where,
        )
        for failed in results["failed_checks"]
        for stack in (stacks[int(Path(failed["file_path"]).stem)],)
    ]
