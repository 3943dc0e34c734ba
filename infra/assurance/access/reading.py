"""Reads properties, whatever they hold: what is not as CloudFormation describes it is refused, and the rest goes on."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from types import TracebackType
from typing import Final, cast

from infra.assurance.access.policies.document import Document
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refused

_as_text: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_UNREADABLE: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)


def listed(value: Json) -> list[Json]:
    """A property that may be a list or one value, or missing."""
    if value is None:
        return []
    return cast("list[Json]", value) if isinstance(value, list) else [value]


def within(value: Json, *keys: str) -> Json:
    """What lies under the keys, None where one is missing."""
    for key in keys:
        if value is None:
            return None
        value = value.get(key)
    return value


def is_true(value: Json) -> bool:
    """A switch, which templates write as a JSON boolean or as its text."""
    return str(value).lower() == "true"


@lru_cache(maxsize=1)
def texts(model: Model) -> Mapping[Resource, str]:
    """What the properties of each resource say, as one text to look for names in."""
    found: dict[Resource, str] = {}
    for resource in model.resources:
        with model.refusals.collected():
            found[resource] = _as_text(resource.properties)
    return found


def document(value: Json, where: Resource) -> Document:
    """A policy document of a property, which CloudFormation takes as an object or as its text; some types wrap it.

    Raises:
        Refused: it is malformed or not understood.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise where.refuse(f"has a policy that is no JSON: {error}") from error
    if isinstance(value, dict) and "PolicyDocument" in value:
        return document(cast("dict[str, Json]", value)["PolicyDocument"], where)
    return Document.parse(value, where.name)


def merged(documents: list[Document]) -> Document | None:
    """Several documents on one resource as one."""
    if len(documents) < 2:  # noqa: PLR2004 - nothing to merge
        return documents[0] if documents else None
    statements = tuple(statement for each in documents for statement in each.statements)
    return Document(statements, documents[0].source)


class reading(AbstractContextManager[None, bool]):  # noqa: N801  # as the standard library names what `with` takes
    """Remember what the block refuses of a resource, or cannot read, and go on behind it."""

    def __init__(self, model: Model, resource: Resource) -> None:
        self._refusals, self._resource = model.refusals, resource

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if isinstance(error, _UNREADABLE):
            told = (
                f"is not as CloudFormation describes the type {self._resource.type} ({type(error).__name__}: {error})"
            )
            error = self._resource.refuse(told)
        if isinstance(error, Refused):
            self._refusals.add(error)
            return True
        return False
