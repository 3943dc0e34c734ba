"""``python -m infra.guards.scan [--checkov] CDK_OUT`` (``make scan``): what takes too long for every synth.

cfn-lint, and the proactive controls of AWS Control Tower as CloudFormation Guard judges them, over every template of a
cloud assembly; with ``--checkov`` (``make evidence``) checkov, too. What they find is accepted by the register, as what
cdk-nag finds in a synth. A row that accepts nothing, is vague or has expired fails it, too. Imports no CDK.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.rules import Finding, cfn_lint, checkov, control_tower
from infra.assurance.rules.accepted import acknowledged_in, left_over, without_ground
from infra.guards.acknowledgements import REGISTER, idle, read_register


def scan(stacks: Sequence[Stack], *, with_checkov: bool = False) -> dict[str, list[Finding]]:
    """What each finds, by who judges.

    Raises:
        Refused: one could not do its work.
    """
    refusals = Refusals()
    with ThreadPoolExecutor() as pool:
        judges = [cfn_lint, *([checkov] if with_checkov else [])]
        asked = {judge.JUDGE: pool.submit(judge.judge, stacks) for judge in judges}
        found = {control_tower.JUDGE: control_tower.judge(stacks, refusals)}
    for refused in refusals:
        raise refused
    return found | {judge: answer.result() for judge, answer in asked.items()}


def left(found: dict[str, list[Finding]], stacks: Sequence[Stack], today: date) -> tuple[list[Finding], list[str]]:
    """Findings that stand, and what is wrong with the register.

    Raises:
        InvalidSettings: the settings or the register are wrong.
        Refused: the register cannot be read.
    """
    acknowledged = acknowledged_in(stacks)
    standing = [
        *chain.from_iterable(left_over(found[judge], acknowledged, judge=judge) for judge in found),
        *without_ground(acknowledged, REGISTER, today),
    ]
    accepted = {(one.rule, one.resource) for one in acknowledged}
    pairs = {(finding.rule, finding.resource) for finding in chain.from_iterable(found.values())}
    rows = idle(read_register(), pairs & accepted, judges=set(found))
    return sorted(set(standing)), [f"{REGISTER}: a row accepts nothing: {rule} on {path}" for rule, path in rows]


def main() -> None:
    """Say what was found, and end with 1 if there is anything."""
    parser = argparse.ArgumentParser(prog="python -m infra.guards.scan", description="Judge a cloud assembly.")
    parser.add_argument("assembly", metavar="CDK_OUT", type=Path)
    parser.add_argument("--checkov", action="store_true", help="by checkov, too")
    options = parser.parse_args()
    try:
        stacks = read_assembly(options.assembly)
        findings, rows = left(scan(stacks, with_checkov=options.checkov), stacks, datetime.now(UTC).date())
    except Refused as refused:
        sys.exit(str(refused))
    for line in (*findings, *rows):
        print(line)  # noqa: T201  # a command's answer
    sys.exit(bool(findings or rows))


if __name__ == "__main__":
    main()
