"""Read values out of resolved properties without tripping over what is not there."""

from collections.abc import Iterable
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.resource import Resource

_TRUE: Final = frozenset({"true", "1", "on", "yes", "enabled"})
_FALSE: Final = frozenset({"false", "0", "off", "no", "disabled"})


def at(value: Json, path: str) -> Json:
    """The value that a path of keys, parted by dots, leads to; None where it ends early."""
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Json]", value).get(key)
    return value


def read(resource: Resource, path: str) -> Json:
    """A property of a resource, or a part of one.

    Raises:
        Refused: it cannot be resolved.
    """
    first, _, rest = path.partition(".")
    value = resource.value(first)
    return at(value, rest) if rest else value


def truth(resource: Resource, path: str, *, default: bool) -> bool:
    """A property that is true or false, as CloudFormation takes it: also as a text or a number.

    Raises:
        Refused: only a deployment knows it, or it is neither.
    """
    value = read(resource, path)
    return default if value is None else as_truth(value, resource, path)


def as_truth(value: Json, resource: Resource, called: str) -> bool:
    """A value that is true or false; refused like `truth`."""
    text = str(value).lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise resource.refuse(f"{called} is {value!r}, neither true nor false")


def known(value: Json, resource: Resource, called: str) -> str:
    """A value as text.

    Raises:
        Refused: only a deployment knows it.
    """
    if is_unknown(value):
        raise resource.refuse(f"{called} is {value}, which only a deployment knows")
    return str(value)


def number(value: Json, resource: Resource, called: str) -> int:
    """A value as a whole number.

    Raises:
        Refused: it is none.
    """
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise resource.refuse(f"{called} is {value!r}, which is no number") from error


def tables(value: Json) -> list[dict[str, Json]]:
    """The tables in a list; a table by itself counts as a list of one."""
    return [cast("dict[str, Json]", each) for each in listed(value) if isinstance(each, dict)]


def texts(value: Json) -> list[str]:
    """The texts in a list; a text by itself counts as a list of one."""
    return [each for each in listed(value) if isinstance(each, str)]


def listed(value: Json) -> list[Json]:
    """A list as it is, nothing as an empty one, anything else as a list of one."""
    if value is None:
        return []
    return cast("list[Json]", value) if isinstance(value, list) else [value]


def attributes(pairs: Json) -> dict[str, str]:
    """A list of tables with `Key` and `Value` as one table, its values as texts."""
    return {str(pair.get("Key")): str(pair.get("Value")) for pair in tables(pairs)}


def spoken(names: Iterable[str]) -> str:
    """Several names as one text, sorted; "none" for no name."""
    return ", ".join(sorted(names)) or "none"
