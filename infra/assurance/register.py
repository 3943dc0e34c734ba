"""Written exceptions: each names one thing, says why, who answers for it, and until when.

Acknowledgements of findings and waivers of changes are such rows. A row that cannot be read is refused. One that is
vague, or whose day has passed, accepts nothing more, and whoever judges an assembly says so: in `check`, `guard`,
`make scan` and `make evidence`. A synth reads no clock.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

from infra.assurance.model.files import Json
from infra.assurance.refusal import Refused

SHORTEST_REASON: Final = 20
"""Characters. A reason is a sentence for somebody who was not there."""
FEWEST_WORDS: Final = 4
LONGEST: Final = timedelta(days=400)
"""How far ahead a row may expire: somebody looks at it again within about a year."""

_WILDCARD: Final = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Decision:
    """Why something is accepted, by whom and until which day (that day included)."""

    what: Mapping[str, Json]
    reason: str
    owner: str
    expires: date
    where: str
    """File and row, for messages."""

    def faults(self, today: date) -> Iterator[str]:
        """What is wrong with it on that day."""
        if self.expires < today:
            yield f"expired on {self.expires}: mend what it accepts, or decide anew and date it"
        if self.expires > today + LONGEST:
            yield f"expires on {self.expires}, more than {LONGEST.days} days ahead: it would not be looked at again"
        if len(self.reason) < SHORTEST_REASON or len(self.reason.split()) < FEWEST_WORDS:
            yield f"has the vague reason “{self.reason}”: write a sentence"
        if not self.owner.strip():
            yield "has no owner: name who answers for it"
        yield from (f"is not for one resource but for {name}" for name in self._resources() if _WILDCARD.search(name))

    def _resources(self) -> Iterator[str]:
        for key in ("resource", "resources"):
            value = self.what.get(key, ())
            yield from [value] if isinstance(value, str) else cast("Sequence[str]", value)


def read_decisions(file: Path, keys: Mapping[str, type]) -> list[Decision]:
    """The rows of all tables of a file. Each has the keys, and `reason`, `owner` and `expires` (a date).

    Raises:
        Refused: the file cannot be read, or a row lacks a key or has another type in it.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read: {error}", where=str(file)) from error
    rows: list[Decision] = []
    for table, given in content.items():
        for number, row in enumerate(cast("list[dict[str, Json]]", given if isinstance(given, list) else [given]), 1):
            rows.append(_decision(row, keys, f"{file.name}, [[{table}]] number {number}"))
    return rows


def _decision(row: Mapping[str, Json], keys: Mapping[str, type], where: str) -> Decision:
    wanted: dict[str, type] = {**keys, "reason": str, "owner": str, "expires": date}
    for key, type_ in wanted.items():
        if not isinstance(row.get(key), type_):
            given = "is missing" if key not in row else f"is {row[key]!r}"
            raise Refused(f"`{key}` {given}; it has to be a {type_.__name__}", where=where)
    return Decision(row, row["reason"], row["owner"], row["expires"], where)
