"""Every resource type, with the names of its properties that speak of networks: `types.txt`, from cfn-lint's schemas.

    python -m infra.assurance.network.schemas

writes it anew after an update of cfn-lint, which only this needs: what judges an assembly reads the file.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

FILE: Final = Path(__file__).with_name("types.txt")
"""A type a line, the properties behind it."""
# Properties so called say where something is attached, or under which groups.
_NETWORK: Final = re.compile(r"subnet|security_?groups?|vpc|networkinterface|elasticip", re.IGNORECASE)


def types() -> str:
    """The content that the file has to have.

    Raises:
        ModuleNotFoundError: cfn-lint is not installed.
    """
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint, whose schemas these are, is not installed")
    folder = Path(spec.origin).parent / "data" / "schemas" / "resources"
    return "".join(sorted(_line(json.loads(file.read_bytes())) for file in folder.glob("*.json")))


def read_types() -> dict[str, frozenset[str]]:
    """By type, the names of its properties that speak of networks, at any depth."""
    lines = (line.split() for line in FILE.read_text().splitlines())
    return {type_: frozenset(properties) for type_, *properties in lines}


def _line(schema: Mapping[str, Any]) -> str:
    answers = {path.removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())}
    tables = [schema.get("definitions", {}), {"": schema}]
    named = {name for table in tables for body in table.values() for name in _names(body)} - answers
    return " ".join((schema["typeName"], *sorted(name for name in named if _NETWORK.search(name)))) + "\n"


def _names(body: object) -> Iterator[str]:
    """Names of properties anywhere in a schema."""
    if isinstance(body, dict):
        table = cast("dict[str, object]", body)
        properties = table.get("properties")
        yield from cast("dict[str, object]", properties) if isinstance(properties, dict) else ()
        for key in table.keys() - {"definitions", "readOnlyProperties"}:
            yield from _names(table[key])
    elif isinstance(body, list):
        for inner in cast("list[object]", body):
            yield from _names(inner)


if __name__ == "__main__":
    FILE.write_text(types())
