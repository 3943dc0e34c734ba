"""Look into a resource's properties by path."""

from typing import cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.resource import Resource


def values(resource: Resource, path: str) -> list[Json]:
    """What stands at a path of a resource's properties; lists on the way, and at the end, are looked through."""
    first, *rest = path.split(".")
    level = _flat(resource.value(first))
    for key in rest:
        tables = (cast("dict[str, Json]", value) for value in level if isinstance(value, dict))
        level = [inner for table in tables for inner in _flat(table.get(key))]
    return level


def identifier(resource: Resource, value: Json) -> str:
    """The id or name that a value is.

    Raises:
        Refused: it is none, or only a deployment knows it.
    """
    if not isinstance(value, str) or is_unknown(value):
        raise resource.refuse(f"has a subnet or security group that only its deployment names: {value}")
    return value


def _flat(value: Json) -> list[Json]:
    if isinstance(value, list):
        return [inner for one in cast("list[Json]", value) for inner in _flat(one)]
    return [] if value is None else [value]
