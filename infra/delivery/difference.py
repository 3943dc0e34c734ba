"""What a deployment changes, as people read it: resource by resource, with the lines that differ."""

import json
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, Final

Json = dict[str, Any]
Templates = Mapping[str, Json]
"""Templates by the name of their stack."""

MOST_LINES: Final = 60
"""Lines that are shown of one resource; the rest are counted."""
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions", "Outputs")


def difference(old: Templates, new: Templates) -> list[str]:
    """Lines of text; none where nothing changes."""
    return [line for stack in dict.fromkeys((*new, *old)) for line in _stack(stack, old.get(stack), new.get(stack))]


def _stack(name: str, old: Json | None, new: Json | None) -> Iterator[str]:
    if new is None:
        yield f"{name}: is deployed, and in these templates no longer: no deployment removes it"
        return
    if old is None:
        yield f"{name}: new, {len(new['Resources'])} resources"
        return
    lines = [*_resources(old.get("Resources", {}), new.get("Resources", {})), *_others(old, new)]
    if lines:
        yield f"{name}:"
        yield from (f"  {line}" for line in lines)


def _resources(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for logical_id in dict.fromkeys((*new, *old)):
        before, after = old.get(logical_id), new.get(logical_id)
        if before == after:
            continue
        of = after or before or {}
        called = f"{of.get('Type')} {of.get('Metadata', {}).get('aws:cdk:path', logical_id)}"
        if before is None:
            yield f"+ {called}"
        elif after is None:
            yield f"- {called}"
        else:
            yield f"~ {called}"
            yield from _differing(before, after)


def _others(old: Json, new: Json) -> Iterator[str]:
    for section in _SECTIONS:
        before, after = old.get(section, {}), new.get(section, {})
        if before != after:
            yield f"~ {section}"
            yield from _differing(before, after)


def _differing(before: Json, after: Json) -> Iterator[str]:
    lines = list(unified_diff(_lines(before), _lines(after), n=1, lineterm=""))[2:]
    yield from (f"    {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"    … {len(lines) - MOST_LINES} more lines"


def _lines(value: Json) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
