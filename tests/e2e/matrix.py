"""Every request that the OpenAPI document describes, with every id it takes being somebody's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete", "head")


@dataclass(frozen=True)
class Known:
    """What inputs of the API are: a name with a value, for names of ids one that tells whose it is."""

    ids: dict[str, Callable[[str, bool], str]]
    """By the name of a parameter, a function of the path and of whether it is the owner's."""
    values: dict[str, str | int | None]
    """Of everything else; ``None`` is left out."""


@dataclass(frozen=True)
class Attempt:
    """One request. ``owners`` are the names of those inputs that are ids of the owner."""

    operation: dict[str, Any]
    method: str
    path: str
    owners: frozenset[str]
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    json: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    path_ids: frozenset[str] = frozenset()

    @property
    def needs_token(self) -> bool:
        """Whether the document says so."""
        return "security" in self.operation

    def expected(self, *, lives: bool) -> set[int]:
        """The statuses that the document allows for somebody who is not the owner.

        ``lives``: whether they are somebody else with a sign-in that lives; nobody otherwise.
        """
        documented = {int(status) for status in self.operation["responses"]}
        done = {status for status in documented if status < 400}
        renews = "refresh_token" in (self.json or {})
        if self.needs_token and not lives:
            return {401}
        if self.needs_token and self.owners & self.path_ids:
            return {404}
        if self.owners & self.params.keys():
            return done | {422} & documented  # a cursor of another may be as good as none
        if self.needs_token or (renews and lives):
            return done
        return documented & {401, 409} or done


class Unknown(Exception):
    """The document describes an input that nobody has told the matrix of."""


def attempts(document: dict[str, Any], known: Known) -> Iterator[Attempt]:
    """Every operation of ``document``, once for each choice of ids that are the owner's.

    Raises:
        Unknown: an operation cannot be asked for with what is known.
    """
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                yield from _of_operation(document, known, path, method)


def _of_operation(document: dict[str, Any], known: Known, path: str, method: str) -> Iterator[Attempt]:
    operation = document["paths"][path][method]
    where = f"{method.upper()} {path}"
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] not in ("path", "query", "header"):
            raise Unknown(f"{where}: the matrix sends no {parameter['in']} parameter such as {parameter['name']}.")
    properties, media_type = _body(document, operation, where)
    for name in [parameter["name"] for parameter in parameters] + properties:
        if name not in known.ids.keys() | known.values.keys():
            raise Unknown(
                f"{where}: the matrix does not know the input {name}: add it to the ids where it names "
                "something of a person, to the values where it does not."
            )
    ids = [name for name in [parameter["name"] for parameter in parameters] + properties if name in known.ids]
    choices = chain.from_iterable(combinations(ids, size) for size in range(1, len(ids) + 1)) if ids else [()]
    for owners in choices:
        given = {name: known.ids[name](path, name in owners) for name in ids} | known.values

        def those(kind: str, given: dict[str, Any] = given) -> dict[str, Any]:
            names = [parameter["name"] for parameter in parameters if parameter["in"] == kind]
            return {name: given[name] for name in names if given[name] is not None}

        body = {name: given[name] for name in properties if given[name] is not None}
        yield Attempt(
            operation,
            method.upper(),
            path.format(**those("path")),
            frozenset(owners),
            params=those("query"),
            headers=those("header"),
            json=body if media_type == "application/json" else None,
            data=body if media_type == "application/x-www-form-urlencoded" else None,
            path_ids=frozenset(those("path")),
        )


def _body(document: dict[str, Any], operation: dict[str, Any], where: str) -> tuple[list[str], str | None]:
    """The names in an operation's body, and its media type."""
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    if not content:
        return [], None
    media_type, described = next(iter(content.items()))
    schema = described["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if media_type not in ("application/json", "application/x-www-form-urlencoded") or "properties" not in schema:
        raise Unknown(f"{where}: the matrix cannot write a body of {media_type} without properties.")
    nested = [name for name, value in schema["properties"].items() if "$ref" in value or value.get("type") == "object"]
    if nested:
        raise Unknown(f"{where}: the matrix looks for ids in flat bodies; {nested[0]} holds more.")
    return list(schema["properties"]), media_type
