"""``python -m infra.guards.scan CDK_OUT`` (``make scan``): what takes too long for every synth.

cfn-lint, and the proactive controls of AWS Control Tower as CloudFormation Guard judges them, over every template of a
cloud assembly. What they find is accepted by the register, as what cdk-nag finds in a synth. A row that accepts
nothing, is vague or has expired fails it, too. Imports no CDK.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.rules import Finding, cfn_lint, control_tower
from infra.assurance.rules.accepted import acknowledged_in, left_over, without_ground
from infra.guards.acknowledgements import REGISTER, idle, read_register


def scan(stacks: Sequence[Stack]) -> dict[str, list[Finding]]:
    """What both find, by who judges.

    Raises:
        Refused: one could not do its work.
    """
    refusals = Refusals()
    with ThreadPoolExecutor() as pool:
        linted = pool.submit(cfn_lint.judge, stacks)
        found = control_tower.judge(stacks, refusals)
    for refused in refusals:
        raise refused
    return {control_tower.JUDGE: found, cfn_lint.JUDGE: linted.result()}


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
    try:
        stacks = read_assembly(Path(sys.argv[1]))
        findings, rows = left(scan(stacks), stacks, datetime.now(UTC).date())
    except Refused as refused:
        sys.exit(str(refused))
    for line in (*findings, *rows):
        print(line)  # noqa: T201  # a command's answer
    sys.exit(bool(findings or rows))


if __name__ == "__main__":
    main()
