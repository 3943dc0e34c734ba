"""``python -m tests.infra.assurance.matrix CDK_OUT OUT.md``: which tool sees which of the seeded defects."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from infra.assurance.__main__ import CLAIMS
from infra.assurance.check import HOLDS, check
from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.printed import as_text
from infra.assurance.refusal import Refusals
from infra.assurance.rules import Finding, cfn_lint, checkov, control_tower
from infra.markdown import table
from tests.infra.assurance import cdk_nag_on_templates
from tests.infra.assurance.seeded.defect import Application, Defect, clean
from tests.infra.assurance.seeded.defects import DEFECTS

Judge: TypeAlias = Callable[[Sequence[Stack]], list[Finding]]

HOW: Final = """\
Each defect is put into a copy of the assembly, and every tool judges the templates that it changes. A tool sees a
defect if it reports something of them that it does not report of the clean ones: the rules in the table. The claims
see one if the check fails and says, in one line, what the defect has to be told by.
"""
OURS: Final = "claims"
NOT_SEEN: Final = "–"
_SHOWN: Final = 2  # rules in a cell
_JUDGE: Final = re.compile(r"^[\w-]+::")  # before a rule's own name, which may have such signs, too


def _control_tower(stacks: Sequence[Stack]) -> list[Finding]:
    refusals = Refusals()
    found = control_tower.judge(stacks, refusals)
    for refused in refusals:
        raise refused
    return found


TOOLS: Final[Mapping[str, Judge]] = {
    f"cdk-nag ({len(cdk_nag_on_templates.PACKS)} packs)": cdk_nag_on_templates.judge,
    "Control Tower (Guard)": _control_tower,
    "cfn-lint": cfn_lint.judge,
    "checkov": checkov.judge,
}
"""By the names that the page calls them."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A defect, with the templates it changed, as they are and as they were."""

    name: str
    changed: tuple[Stack, ...]
    before: tuple[Stack, ...]
    told: bool
    """Our own check says what it has to."""


def plant(defect: Defect, assembly: Path, folder: Path, usual: set[str]) -> Planted:
    """Put a defect into a copy of the assembly in ``folder``. ``usual`` is what the check says of the clean one."""
    out = clean(Application.OURS, assembly, folder / "cdk.out")
    before = {_key(stack): stack for stack in read_assembly(out)}
    said = defect.apply(out)
    outcome = check(out, CLAIMS, known_rules=False)
    lines = {line for line in as_text(outcome).splitlines() if line not in usual}
    changed = [stack for stack in read_assembly(out) if stack.template != before[_key(stack)].template]
    return Planted(
        defect.name,
        tuple(_aside(stack, folder / f"after-{number}") for number, stack in enumerate(changed)),
        tuple(_aside(before[_key(stack)], folder / f"before-{number}") for number, stack in enumerate(changed)),
        outcome.code != HOLDS and any(all(text in line for text in said) for line in lines),
    )


def _key(stack: Stack) -> tuple[str, str, str]:
    return stack.name, stack.account, stack.region


def _aside(stack: Stack, folder: Path) -> Stack:
    """A copy of a template that no other has the name of, in which nothing waits for what the defect took away."""
    folder.mkdir(parents=True)
    file = folder / f"{folder.parent.name}.template.json"
    template = json.loads(json.dumps(stack.template))
    for body in template["Resources"].values():
        if awaited := body.get("DependsOn"):
            listed = [awaited] if isinstance(awaited, str) else awaited
            body["DependsOn"] = [name for name in listed if name in template["Resources"]]
    file.write_text(json.dumps(template))
    return stack._replace(file=file, template=template)


def seen(planted: Sequence[Planted], judge: Judge) -> dict[str, list[str]]:
    """The rules by which a tool sees each defect, by the defect's name."""
    before = {_key(stack): stack for defect in planted for stack in defect.before}
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for finding in judge([*before.values(), *(stack for defect in planted for stack in defect.changed)]):
        found[finding.template].add((finding.rule, finding.resource))
    return {
        defect.name: sorted(
            {
                _JUDGE.sub("", rule)
                for stack in defect.changed
                for rule, _ in found[stack.where] - found[before[_key(stack)].where]
            }
        )
        for defect in planted
    }


def as_markdown(planted: Sequence[Planted], by_tool: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """A table: a row a defect, a column a tool, in each cell the rules that see it; and how many each sees."""
    rows = [
        [defect.name, "told" if defect.told else NOT_SEEN, *(_cell(by_tool[tool][defect.name]) for tool in by_tool)]
        for defect in planted
    ]
    counts = [sum(defect.told for defect in planted), *(sum(map(bool, rules.values())) for rules in by_tool.values())]
    total = [f"of {len(planted)}", *map(str, counts)]
    return table(["Defect", OURS, *by_tool], [*rows, total])


def _cell(rules: Sequence[str]) -> str:
    if not rules:
        return NOT_SEEN
    more = f" and {len(rules) - _SHOWN} more" if len(rules) > _SHOWN else ""
    return ", ".join(f"`{rule}`" for rule in rules[:_SHOWN]) + more


def main() -> None:
    """Write the table, and end with 1 if our own check misses a defect."""
    assembly, out = map(Path, sys.argv[1:])
    usual = set(as_text(check(assembly, CLAIMS, known_rules=False)).splitlines())
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        planted = [
            plant(defect, assembly, Path(folder) / f"defect-{number}", usual)
            for number, defect in enumerate(DEFECTS.values())
            if Application.OURS in defect.applications
        ]
        asked = {tool: pool.submit(seen, planted, judge) for tool, judge in TOOLS.items()}
        by_tool = {tool: answer.result() for tool, answer in asked.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f"{HOW}\n{as_markdown(planted, by_tool)}\n")
    if missed := [defect.name for defect in planted if not defect.told]:
        sys.exit(f"{OURS} does not tell of: {', '.join(missed)}")


if __name__ == "__main__":
    main()
