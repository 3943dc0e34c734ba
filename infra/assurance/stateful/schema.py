"""CloudFormation's own descriptions of resource types, of a region, as cfn-lint ships them.

<https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html>
"""

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from infra.assurance.model.files import Json, read_json
from infra.assurance.refusal import Refused

FALLBACK_REGION: Final = "us-east-1"
"""Of a region that the files do not tell, or that cfn-lint does not know: it has nearly every type there is."""
_PROPERTIES: Final = "/properties/"


@dataclass(frozen=True, slots=True)
class Schema:
    """What decides whether an update replaces a resource. Paths are below the properties, `*` for any item."""

    create_only: tuple[str, ...]
    """Whose change always replaces it."""
    conditional: tuple[str, ...]
    """Whose change may, depending on values that only the service knows."""
    properties: frozenset[str]
    stable: frozenset[str]
    """Attributes that stay the same as long as it is not replaced."""


@cache
def schema_of(type_: str, region: str) -> Schema | None:
    """The description of a type in a region; None for a type that CloudFormation does not describe there.

    Raises:
        Refused: cfn-lint, which ships them, is not installed.
    """
    name = _names(region).get(type_) or _names(FALLBACK_REGION).get(type_)
    if name is None:
        return None
    content: dict[str, Json] = read_json(_folder() / "resources" / f"{name}.json")
    identifiers = [content.get("primaryIdentifier", ()), *content.get("additionalIdentifiers", ())]
    return Schema(
        create_only=_paths(content.get("createOnlyProperties", ())),
        conditional=_paths(content.get("conditionalCreateOnlyProperties", ())),
        properties=frozenset(content.get("properties", ())),
        stable=frozenset(path.replace("/", ".") for paths in identifiers for path in _paths(paths)),
    )


@cache
def _names(region: str) -> dict[str, str]:
    file = _folder() / "providers" / f"{region}.json"
    return json.loads(file.read_bytes()) if file.is_file() else {}


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("cfnlint")
    if found is None or not found.submodule_search_locations:
        raise Refused("is not installed: it ships the schemas that decide what is replaced", where="cfn-lint")
    return Path(found.submodule_search_locations[0]) / "data" / "schemas"


def _paths(pointers: Json) -> tuple[str, ...]:
    return tuple(pointer.removeprefix(_PROPERTIES) for pointer in pointers)
