"""Whatever stands where a value is wanted, the proof goes on and says what it does not understand."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from tests.infra.assurance.elsewhere.everything import everything
from tests.infra.assurance.other_application.assembly import write_bookshop

Place: TypeAlias = "tuple[str | int, ...]"

JUNK: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "text",
    "arn:",
    "*",
    "0.0.0.0/0",
    "⟪asked at deployment⟫",
    "{{resolve:ssm:name}}",
    [],
    [None],
    [[]],
    [{}],
    {},
    {"a": 1},
    {"Ref": "Nowhere"},
    {"Ref": "AWS::NoValue"},
    {"Fn::GetAZs": ""},
    {"Fn::Mystery": 1},
]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where something stands in a value."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str | int, Any]", value).items())
    elif isinstance(value, list):
        inner = list(enumerate(cast("list[Any]", value)))
    for key, each in inner:
        yield (*at, key)
        yield from places(each, (*at, key))


def put(value: Any, at: Place, junk: Any) -> None:
    """Something else in its stead."""
    for key in at[:-1]:
        value = value[key]
    value[at[-1]] = junk


@pytest.mark.parametrize("junk", JUNK, ids=json.dumps)
def test_one_property_of_every_resource_is_nonsense(tmp_path: Path, junk: Any) -> None:
    choice = random.Random(json.dumps(junk))  # noqa: S311  # the same every time, and no secret
    write_bookshop(tmp_path)
    for file in tmp_path.glob("*.template.json"):
        template = json.loads(file.read_text())
        for body in template["Resources"].values():
            if found := list(places(body.get("Properties", {}))):
                put(body["Properties"], choice.choice(found), junk)
        file.write_text(json.dumps(template))
    assert everything(tmp_path).refused


def test_the_application_as_it_is_is_understood(tmp_path: Path) -> None:
    found = everything(write_bookshop(tmp_path))
    assert (found.refused, found.disagreements) == ([], [])
    assert found.facts
