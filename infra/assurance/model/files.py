"""Files of JSON, and its objects, read so that what is malformed is refused by name."""

import json
from pathlib import Path
from typing import Any, TypeAlias, cast

from infra.assurance.refusal import Refused

Json: TypeAlias = Any
"""A value as JSON has it; what it means is for whoever reads it."""


def read_json(file: Path) -> Json:
    """The content of a JSON file.

    Raises:
        Refused: it is missing, is no JSON, is nested too deep, or an object in it has a key twice: which of the two
            counts would be the reader's choice.
    """
    try:
        return json.loads(file.read_bytes(), object_pairs_hook=_each_once)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"cannot be read: {error}", where=str(file)) from error


def table(value: Json, what: str, *, where: str, template: str = "") -> dict[str, Json]:
    """A JSON object.

    Raises:
        Refused: it is something else.
    """
    if not isinstance(value, dict):
        raise Refused(f"{what} is no JSON object", where=where, template=template)
    return cast("dict[str, Json]", value)


def text(value: Json, what: str, *, where: str, template: str = "") -> str:
    """A text.

    Raises:
        Refused: it is something else.
    """
    if not isinstance(value, str):
        raise Refused(f"{what} is no text", where=where, template=template)
    return value


def _each_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)} stands twice in an object")
    return found
