"""`python -m tools.template_diff OLD NEW`: what differs between two cloud assemblies, for whoever reviews a change.

Above all, what the change would remove, replace or leave with less protection of what is stateful; then every stack
with the resources that are added, removed, changed and replaced. Environments that change alike are told once. The
lines are those of a `diff`, for a code block of that kind. Ends with 1 where a waiver is wanted
(`infra/waivers.toml`), with 2 where something is not known, else with 0.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.stateful import Outcome, changes
from infra.assurance.stateful.replacement import replaced
from infra.assurance.stateful.stacks import Key, key_of, read_versions

WAIVERS: Final = Path("infra/waivers.toml")
KEPT: Final = 0
WANTED: Final = 1
UNKNOWN: Final = 2

MOST_PATHS: Final = 8
"""Properties that are told of one resource; the rest are counted."""
MOST_CHARACTERS: Final = 60_000
"""Of the whole; what does not fit is counted. A comment on GitHub holds 65,536."""
WIDTH: Final = 100
"""Characters of a value; around where it differs."""
_DIGEST: Final = re.compile(r"\b[0-9a-f]{40,64}\b")
_UNTOLD: Final = frozenset({"Metadata"})
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions", "Outputs")
_KINDS: Final = ("added", "removed", "changed", "replaced", "perhaps replaced")


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of one resource, or of the rest of its stack, which is of no kind."""

    kind: str
    lines: tuple[str, ...]


def main(old: Path, new: Path, waivers: Path = WAIVERS) -> int:
    """Print it and return what the process ends with."""
    outcome = changes(old, new, waivers)
    lines = [" ".join(line.split()) for line in _verdict(outcome)]
    if not any(refused.where in {str(old), str(new)} for refused in outcome.refused):
        lines += _stacks(old, new)
    sys.stdout.write("\n".join(_fitting(lines)) + "\n")
    return UNKNOWN if outcome.refused else WANTED if outcome.changes else KEPT


def _verdict(outcome: Outcome) -> Iterator[str]:
    """What the guard says. A waiver that this change has no need of is for one that is not everywhere yet."""
    if outcome.changes or outcome.refused:
        yield "- STATEFUL: the pipeline stops before this"
    else:
        yield "# Stateful: nothing is lost"
    yield from (f"- not known: {refused}" for refused in outcome.refused)
    yield from (f"- wants a waiver: {change}" for change in outcome.changes)
    yield from (f"! waived: {change}" for change in outcome.waived)
    yield from (f"# {fault}" for fault in outcome.faults)


def _stacks(old: Path, new: Path) -> Iterator[str]:
    """Every stack that differs, those that differ alike together."""
    alike: dict[tuple[str, tuple[_Told, ...]], list[str]] = {}
    for (name, place), told in _told(old, new):
        alike.setdefault((name, told), []).append(place)
    if not alike:
        yield "# No template differs"
    for (name, told), places in alike.items():
        counts = {kind: sum(one.kind == kind for one in told) for kind in _KINDS}
        counted = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        yield f"@@ {name} ({', '.join(places)}): {counted or 'no resource'} @@"
        for one in told:
            yield from one.lines


def _told(old: Path, new: Path) -> Iterator[tuple[tuple[str, str], tuple[_Told, ...]]]:
    """Every stack that differs, by its name and place."""
    refusals = Refusals()  # the guard has the same ones, and tells them
    worlds = read_versions(old, new, refusals)
    reasons = {id_: why for versions in worlds for id_, why in replaced(versions, refusals).items()}
    resources: dict[Key, list[_Told]] = {}
    for key, before, after in worlds[0].pairs():  # what is written is the same in all of them
        if resource := after or before:
            told = _resource(before, after, reasons.get((key, resource.logical_id), ""))
            resources.setdefault(key, []).extend(told)
    was, will_be = ({key_of(stack): stack for stack in model.scopes} for model in (worlds[0].old, worlds[0].new))
    for key in dict.fromkeys((*was, *will_be)):
        if told := (*_rest(was.get(key), will_be.get(key)), *resources.get(key, [])):
            yield _called(will_be.get(key) or was[key]), told


def _called(stack: Stack) -> tuple[str, str]:
    """A stack by its name within its stage, and the stage (or, without one, where it is deployed)."""
    if not stack.stage:
        return stack.name, f"{stack.account}, {stack.region}"
    return stack.path.removeprefix(f"{stack.stage}/"), stack.stage.rpartition("/")[2]


def _rest(before: Stack | None, after: Stack | None) -> Iterator[_Told]:
    """What differs in a stack beside its resources."""
    if before is None:
        yield _Told("", ("+ the stack is new",))
    elif after is None:
        yield _Told("", ("- the stack is in these templates no longer; no deployment removes it",))
    else:
        for section in _SECTIONS:
            found = list(_differing(before.template.get(section, {}), after.template.get(section, {})))
            if found:
                yield _Told("", (f"! {section}", *_shown(found, after)))


def _resource(before: Resource | None, after: Resource | None, reason: str) -> Iterator[_Told]:
    """What is told of a resource; nothing where it does not differ."""
    if before is None and after:
        yield _Told("added", (f"+ {_name(after)}",))
    elif after is None and before:
        yield _Told("removed", (f"- {_name(before)}",))
    elif before and after:
        old, new = ({k: v for k, v in one.body.items() if k not in _UNTOLD} for one in (before, after))
        lines = tuple(_shown(list(_differing(old, new)), after.stack))
        if reason:
            why = _line(reason.partition(" and changes from ")[0], after.stack)
            # One that is written as before may be replaced because of what it refers to, which only a deployment shows.
            kind = "replaced" if lines else "perhaps replaced"
            yield _Told(kind, (f"! {_name(after)}: {kind.upper()}: {why}", *lines))
        elif lines:
            yield _Told("changed", (f"! {_name(after)}", *lines))


def _name(resource: Resource) -> str:
    """The type, and the construct path within the stack, which is the same in every environment."""
    stack = resource.stack
    path = resource.plain_name.removeprefix(f"{stack.stage}/").removeprefix(f"{_called(stack)[0]}/")
    return _line(path if path.startswith(f"{resource.type} ") else f"{resource.type} {path}", stack)


def _shown(found: list[tuple[str, Json, Json]], stack: Stack) -> Iterator[str]:
    for path, before, after in found[:MOST_PATHS]:
        old, new = _around(*(_line(_written(value), stack) for value in (before, after)))
        yield f"    {_line(path.removeprefix('.Properties').removeprefix('.'), stack)}: {old} → {new}"
    if len(found) > MOST_PATHS:
        yield f"    … and {len(found) - MOST_PATHS} more"


def _differing(before: Json, after: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    """The smallest parts that differ. Lists of another length differ as a whole."""
    old, new = _parts(before), _parts(after)
    if type(before) is type(after) and (isinstance(before, dict) or (old and old.keys() == new.keys())):
        for key in dict.fromkeys((*old, *new)):
            yield from _differing(old.get(key), new.get(key), path + key)
    elif before != after:
        yield path, before, after


def _parts(value: Json) -> dict[str, Json]:
    """What a table or a list holds, by how it is reached."""
    if isinstance(value, dict):
        return {f".{key}": inner for key, inner in cast("dict[str, Json]", value).items()}
    items = cast("list[Json]", value) if isinstance(value, list) else []
    return {f"[{index}]": inner for index, inner in enumerate(items)}


def _written(value: Json) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _line(text: str, stack: Stack) -> str:
    """A text on one line, without what only tells environments apart: the account, and most of a digest."""
    text = " ".join(text.split()).replace(stack.account or "<account>", "<account>")
    return _DIGEST.sub(lambda found: f"{found[0][:12]}…", text)


def _around(before: str, after: str) -> tuple[str, str]:
    """Both, cut to where they differ."""
    pairs = enumerate(zip(before, after, strict=False))
    alike = next((i for i, (old, new) in pairs if old != new), min(len(before), len(after)))
    start = max(0, alike - WIDTH // 4)
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int) -> str:
    end = start + WIDTH
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _fitting(lines: list[str]) -> Iterator[str]:
    room = MOST_CHARACTERS
    for index, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            yield f"# … and {len(lines) - index} more lines"
            return
        yield line


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - its name, OLD and NEW
        sys.exit(__doc__)
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except Refused as refused:
        sys.stdout.write(f"- not known: {refused}\n")
        sys.exit(UNKNOWN)
