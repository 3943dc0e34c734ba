"""Write `keyed_types.txt` again, from the schemas that cfn-lint ships. Needed when cfn-lint is updated.

`python -m infra.assurance.transport.keyed_types`; nothing else here reads the schemas.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.transport.rest import KEYED_TYPES, SEVERAL

_NAMES_A_KEY: Final = re.compile(r"(?i)kms(master)?(key)?(id|arn|identifier)?$|encryptionkey(arn|id)?$")
_PLAIN_WITHOUT: Final = frozenset({"AWS::EMR::Cluster", "AWS::Glue::MLTransform", "AWS::WorkspacesInstances::Volume"})
"""Types that name one key, but are not encrypted, or not wholly, if they are given none."""
_DEEPEST: Final = 8
_HEAD: Final = "# Types whose CloudFormation schema names a key, with the property's path; ? where it names several.\n"


def text() -> str:
    """The content of the file.

    Raises:
        RuntimeError: cfn-lint is not installed.
    """
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint, which ships CloudFormation's schemas, is not installed")
    folder = Path(spec.origin).parent / "data" / "schemas" / "resources"
    schemas: list[Json] = [json.loads(file.read_bytes()) for file in folder.glob("*.json")]
    paths: dict[str, set[str]] = {}
    for schema in schemas:
        paths.setdefault(schema["typeName"], set()).update(_keys(schema, schema, "", ()))
    lines = (f"{kind} {_path(kind, found)}\n" for kind, found in sorted(paths.items()) if found)
    return _HEAD + "".join(lines)


def _path(kind: str, found: set[str]) -> str:
    path = next(iter(found))
    return SEVERAL if len(found) > 1 or path.endswith("[]") or kind in _PLAIN_WITHOUT else path


def _keys(schema: Json, part: Json, path: str, within: tuple[str, ...]) -> Iterator[str]:
    """Paths of the texts that name a key; "[]" at the end of those in a list."""
    if "$ref" in part:
        reference = str(part["$ref"])
        if reference in within or len(within) > _DEEPEST:
            return
        target = schema
        for step in reference.removeprefix("#/").split("/"):
            target = target.get(step, {})
        yield from _keys(schema, target, path, (*within, reference))
        return
    for choice in (*part.get("oneOf", ()), *part.get("anyOf", ()), *part.get("allOf", ())):
        yield from _keys(schema, choice, path, within)
    if "items" in part:
        yield from (f"{found.removesuffix('[]')}[]" for found in _keys(schema, part["items"], path, within))
    hidden = {str(each).rpartition("/")[2] for each in part.get("readOnlyProperties", ())}
    for name, inner in cast("dict[str, Json]", part.get("properties", {})).items():
        deeper = f"{path}.{name}" if path else name
        if name in hidden:
            continue
        if (
            _NAMES_A_KEY.search(name)
            and "object" not in str(inner.get("type"))
            and "properties" not in inner
            and not _is_table(schema, inner)
        ):
            yield deeper
        else:
            yield from _keys(schema, inner, deeper, within)


def _is_table(schema: Json, part: Json) -> bool:
    target = schema
    for step in str(part.get("$ref", "")).removeprefix("#/").split("/"):
        target = target.get(step, {})
    return "properties" in target and "$ref" in part


if __name__ == "__main__":
    KEYED_TYPES.write_text(text())
