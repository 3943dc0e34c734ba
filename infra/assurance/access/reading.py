"""Reads properties, whatever they hold: what is not as CloudFormation describes it is refused, and the rest goes on."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import cast

from infra.assurance.access.policies.document import Document
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource


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
            found[resource] = json.dumps(resource.properties, ensure_ascii=False)
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


@contextmanager
def reading(model: Model, resource: Resource) -> Generator[None]:
    """Remember what the block refuses of a resource, or cannot read, and go on behind it."""
    with model.refusals.collected():
        try:
            yield
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            told = f"{type(error).__name__}: {error}"
            raise resource.refuse(f"is not as CloudFormation describes the type {resource.type} ({told})") from error
