"""What is accepted of the findings of rules: acknowledgements in the assembly, each of which a register has a row for.

The CDK writes into an assembly which rule was acknowledged on which construct, and why. The register says who answers
for it and until when: `infra/acknowledgements.toml`, rows with `rules`, `resources`, `reason`, `owner`, `expires`, in
which a `{name}` stands for what the application puts there. An acknowledgement without a row, a row that is vague or
has expired, one for more than one resource, and one that no finding needs are findings themselves.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, cast

from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json
from infra.assurance.register import Decision, read_decisions
from infra.assurance.rules.finding import Finding

REGISTER: Final = Path(__file__).parents[2] / "acknowledgements.toml"
RULE: Final = "acknowledgement"
"""Of the findings about acknowledgements."""
BY_THE_LIBRARY: Final = frozenset({"CloudFormation-Validate::F3002", "CloudFormation-Validate::F3003"})
"""What aws-cdk-lib accepts of its own flow logs, whose schema spells their options in another way than the service."""
_KIND: Final = "aws:cdk:acknowledged-rules"
_NAME: Final = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A rule that is accepted on a construct."""

    rule: str
    resource: str
    reason: str
    stack: Stack

    @property
    def place(self) -> tuple[str, str]:
        """Rule and resource, whatever stage or account it is in."""
        if self.stack.stage:
            return self.rule, self.resource.removeprefix(f"{self.stack.stage}/")
        return self.rule, f"{self.stack.name}/{self.resource.partition('/')[2]}"


def acknowledged_in(stacks: Iterable[Stack]) -> list[Acknowledged]:
    """All of an assembly."""
    return [
        Acknowledged(rule, path.removeprefix("/"), str(reason), stack)
        for stack in stacks
        for path, entries in stack.metadata.items()
        for entry in entries
        for rule, reason in _rules(entry).items()
        if rule not in BY_THE_LIBRARY
    ]


def _rules(entry: Json) -> dict[str, Json]:
    told = cast("dict[str, Json]", entry) if isinstance(entry, dict) else {}
    data = told.get("data") if told.get("type") == _KIND else None
    return cast("dict[str, Json]", data) if isinstance(data, dict) else {}


def left_over(findings: Collection[Finding], acknowledged: Sequence[Acknowledged], *, judge: str) -> Iterator[Finding]:
    """Findings of a judge that are not accepted, and what is accepted of it without need in any stage."""
    accepted = {(one.rule, one.resource): one for one in acknowledged}
    yield from (finding for finding in findings if (finding.rule, finding.resource) not in accepted)
    found = {(finding.rule, finding.resource) for finding in findings}
    needed = {one.place for pair, one in accepted.items() if pair in found}
    for one in accepted.values():
        if one.rule.startswith(f"{judge}::") and one.place not in needed:
            yield Finding(RULE, one.resource, f"{one.rule} is acknowledged, and finds nothing", one.stack.where)


def without_ground(acknowledged: Sequence[Acknowledged], register: Path, today: date) -> Iterator[Finding]:
    """Acknowledgements that accept too much or have no row, and rows that do not hold on that day.

    Raises:
        Refused: the register cannot be read.
    """
    rows = read_decisions(register, {"rules": list, "resources": list}) if register.is_file() else []
    for row in rows:
        yield from (Finding(RULE, row.where, fault, register.name) for fault in row.faults(today))
    patterns = {row.where: (_patterns(row, "rules"), _patterns(row, "resources")) for row in rows}
    for one in acknowledged:
        if one.resource not in one.stack.paths.values():
            what = f"{one.rule} is acknowledged for all that is below it: name one resource"
            yield Finding(RULE, one.resource, what, one.stack.where)
        elif not any(row.reason == one.reason and _covers(*patterns[row.where], one) for row in rows):
            what = f"{one.rule} is acknowledged, and {register.name} has no row with that reason: “{one.reason}”"
            yield Finding(RULE, one.resource, what, one.stack.where)


def _patterns(row: Decision, key: str) -> list[re.Pattern[str]]:
    return [re.compile(_NAME.sub("[^/]+", re.escape(text))) for text in row.what[key]]


def _covers(rules: Sequence[re.Pattern[str]], resources: Sequence[re.Pattern[str]], one: Acknowledged) -> bool:
    parts = one.resource.split("/")
    return any(rule.fullmatch(one.rule) for rule in rules) and any(
        resource.fullmatch("/".join(parts[start:])) for resource in resources for start in range(len(parts))
    )
