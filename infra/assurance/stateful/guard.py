"""Hold the changes to what is stateful against waivers.

A waiver is a row of `infra/waivers.toml`: a resource by its construct path, the change (as the guard prints it), why,
who answers for it and until when. It is for one change of one resource. A row that is vague, whose day has passed, or
that no change needs, fails as well: it would let something else pass later.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from infra.assurance.refusal import Refusals, Refused
from infra.assurance.register import Decision, read_decisions
from infra.assurance.stateful.changes import Change, changes_of, distinct
from infra.assurance.stateful.stacks import read_versions

KEPT: Final = 0
LOST: Final = 1
REFUSED: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to print, and what the command ends with: 0 all is kept, 1 a waiver is wanted, 2 something is not known."""

    changes: tuple[Change, ...]
    """Those that no waiver is for."""
    waived: tuple[Change, ...]
    faults: tuple[str, ...]
    """Of waivers."""
    refused: tuple[Refused, ...]

    @property
    def code(self) -> int:
        """What was refused counts before what would be lost."""
        return REFUSED if self.refused else LOST if self.changes or self.faults else KEPT

    @property
    def text(self) -> str:
        """For people: each change with the row that would let it pass."""
        lines = [f"REFUSED   {refused}" for refused in self.refused]
        for change in self.changes:
            lines += [
                f"LOST      {change}",
                f'          waiver: resource = "{change.resource}", change = "{change.change}"',
            ]
        lines += [f"WAIVER    {fault}" for fault in self.faults]
        lines += [f"waived    {change}" for change in self.waived]
        counted = f"{len(self.changes)} changes to what is stateful without a waiver, {len(self.waived)} with one"
        return "\n".join([*lines, f"{counted}, {len(self.refused)} refused."])


def changes(old: Path, new: Path, waivers: Path | None = None, *, today: date | None = None) -> Outcome:
    """Compare two cloud assemblies, or folders of templates, and say what would be lost on the way.

    `waivers` need not exist. `today` is the day by which they are judged (UTC).
    """
    refusals = Refusals()
    found: list[Change] = []
    rows: list[Decision] = []
    with refusals.collected():
        if waivers and waivers.is_file():
            rows = read_decisions(waivers, {"resource": str, "change": str})
    with refusals.collected():
        try:
            for versions in read_versions(old, new, refusals):
                found += changes_of(versions, refusals)
        except (AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError) as error:
            # A template that says something nobody foresaw: nothing may pass because of it.
            what = f"is not understood: {type(error).__name__}: {error}"
            raise Refused(what, where=str(new)) from error
    return _judged(distinct(found), rows, refusals, today or datetime.now(UTC).date())


def _judged(found: list[Change], rows: list[Decision], refusals: Refusals, today: date) -> Outcome:
    faults: list[str] = []
    waived: list[Change] = []
    for row in rows:
        wrong = list(row.faults(today))
        covered = [change for change in found if _is_for(row, change)]
        if not covered:
            wrong.append(f"no such change ({row.what['change']}) of {row.what['resource']}: take the row out")
        faults += [f"{row.where}: {fault}" for fault in wrong]
        waived += [] if wrong else covered
    left = tuple(change for change in found if change not in waived)
    return Outcome(left, tuple(dict.fromkeys(waived)), tuple(faults), tuple(refusals))


def _is_for(row: Decision, change: Change) -> bool:
    return row.what["resource"] in {change.resource, change.path} and row.what["change"] == change.change
