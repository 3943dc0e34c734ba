"""The same application with its values written in other ways has the same facts."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from infra.assurance.facts import Fact
from tests.infra.assurance.elsewhere.everything import everything
from tests.infra.assurance.other_application.assembly import write_bookshop

Rewrite = Callable[[Any, dict[str, Any]], Any]
"""Gives another way to write a value, for which it may add to the template."""


def in_a_choice_of_one(value: Any, _: dict[str, Any]) -> Any:
    if "AWS::NoValue" in json.dumps(value) and "Fn::If" in json.dumps(value):
        return value  # what may not be there is no choice
    return {"Fn::Select": ["0", [value]]}


def under_a_condition(value: Any, template: dict[str, Any]) -> Any:
    template.setdefault("Conditions", {})["Chosen"] = {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    return {"Fn::If": ["Chosen", value, "something else"]}


def joined(value: Any, _: dict[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    middle = len(value) // 2
    return {"Fn::Join": ["", [value[:middle], value[middle:]]]}


def substituted(value: Any, _: dict[str, Any]) -> Any:
    return {"Fn::Sub": ["${It}", {"It": value}]} if isinstance(value, str) else value


def from_a_parameter(value: Any, template: dict[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    parameters = template.setdefault("Parameters", {})
    name = f"P{len(parameters)}"
    parameters[name] = {"Type": "String", "Default": value}
    return {"Ref": name}


def from_a_map(value: Any, template: dict[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    table = template.setdefault("Mappings", {}).setdefault("Map", {}).setdefault("us-east-1", {})
    name = f"k{len(table)}"
    table[name] = value
    return {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, name]}


def rewritten(value: Any, rewrite: Rewrite, template: dict[str, Any], choice: random.Random) -> Any:
    """A value with about half of what stands in it written in another way."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        if any(key == "Ref" or key.startswith("Fn::") for key in table):
            return rewrite(table, template) if choice.random() < 0.5 else table
        value = {key: rewritten(inner, rewrite, template, choice) for key, inner in table.items()}
    elif isinstance(value, list):
        value = [rewritten(inner, rewrite, template, choice) for inner in cast("list[Any]", value)]
    return rewrite(value, template) if choice.random() < 0.5 else value


def rows(facts: list[Fact]) -> set[tuple[str, ...]]:
    return {(fact.relation, *fact.values) for fact in facts}


@pytest.mark.parametrize(
    "rewrite", [in_a_choice_of_one, under_a_condition, joined, substituted, from_a_parameter, from_a_map]
)
def test_facts_are_the_same(tmp_path: Path, rewrite: Rewrite) -> None:
    expected = everything(write_bookshop(tmp_path / "plain"))
    folder = write_bookshop(tmp_path / "rewritten")
    choice = random.Random(rewrite.__name__)  # noqa: S311  # the same every time, and no secret
    for file in sorted(folder.glob("*.template.json")):
        template = json.loads(file.read_text())
        for body in template["Resources"].values():
            properties = body.get("Properties", {})
            body["Properties"] = {key: rewritten(value, rewrite, template, choice) for key, value in properties.items()}
        file.write_text(json.dumps(template))
    found = everything(folder)
    assert found.refused == expected.refused
    assert rows(found.facts) ^ rows(expected.facts) == set()
    assert found.disagreements == []
