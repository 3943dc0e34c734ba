"""What well-kept rules of others find in an assembly, as far as nobody answers for it."""

from datetime import UTC, date, datetime
from pathlib import Path

from infra.assurance.model.assembly import read_assembly
from infra.assurance.refusal import Refusals
from infra.assurance.rules import control_tower
from infra.assurance.rules.accepted import REGISTER, acknowledged_in, left_over, without_ground
from infra.assurance.rules.finding import Finding


def findings(
    folder: Path, refusals: Refusals | None = None, *, register: Path = REGISTER, today: date | None = None
) -> list[Finding]:
    """The controls of AWS Control Tower that a cloud assembly breaks, and acknowledgements that do not hold.

    `today` is the day by which these are judged (UTC).

    Raises:
        Refused: the folder is no assembly, the register or a program cannot be read; without `refusals` to collect it,
            also what else cannot be read, or judged by Guard.
    """
    collected = Refusals() if refusals is None else refusals
    stacks = read_assembly(folder, collected)
    acknowledged = acknowledged_in(stacks)
    found = control_tower.judge(stacks, collected)
    left = [
        *left_over(found, acknowledged, judge=control_tower.JUDGE),
        *without_ground(acknowledged, register, today or datetime.now(UTC).date()),
    ]
    if refusals is None:
        for refused in collected:
            raise refused
    return sorted(set(left))
