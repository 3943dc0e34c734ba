"""Conditions that decide between values make as many worlds as they can be at once, and no fewer."""

import json
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.model.conditions import MAX_WORLDS
from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write
from tests.infra.assurance.model.reading import models, refused, resource

PARAMETERS = {name: {"Type": "String", "Default": "x"} for name in ("P", "Q")}


def deciding(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """A template in which each of the conditions decides a value: whether it holds."""
    values = {name: {"Fn::If": [name, True, False]} for name in conditions}
    holders = {name: {"Type": "Test::Holder", "Properties": {"Holds": value}} for name, value in values.items()}
    return {"Parameters": PARAMETERS, "Conditions": conditions, "Resources": holders}


def ways(folder: Path, conditions: Mapping[str, Any], **place: str) -> list[tuple[bool, ...]]:
    """What the conditions are in each world, in the conditions' order."""
    read = read_models(write(folder, {"Stack": deciding(conditions)}, **place))
    return [tuple(resource(model, name).value("Holds") for name in conditions) for model in read]


def is_(parameter: str, value: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": parameter}, value]}


def test_without_conditions_there_is_one_world(tmp_path: Path) -> None:
    assert len(models(tmp_path, {"Conditions": {"Idle": is_("P", "a")}, "Resources": {}})) == 1


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"A": is_("P", "a")}, [(True,), (False,)]),
        ({"A": is_("P", "x")}, [(True,), (False,)]),  # the default is not the only value that can be given
        ({"A": is_("P", "a"), "B": {"Fn::Not": [{"Condition": "A"}]}}, [(True, False), (False, True)]),
        ({"A": is_("P", "a"), "B": is_("P", "b")}, [(True, False), (False, True), (False, False)]),
        ({"A": is_("P", "a"), "B": is_("Q", "a")}, [(True, True), (True, False), (False, True), (False, False)]),
        ({"A": {"Fn::Equals": ["a", "b"]}}, [(True,), (False,)]),
        ({"A": {"Fn::Equals": [{"Ref": "P"}, {"Ref": "Q"}]}}, [(True,), (False,)]),
        ({"A": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}, [(True,)]),
        ({"A": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]}}, [(False,)]),
        ({"A": {"Fn::Mystery": ["a"]}}, [(True,), (False,)]),
        ({"A": {"Condition": "A"}}, [(True,), (False,)]),
        ({"A": {"Condition": "Nowhere"}}, [(True,), (False,)]),
        ({"A": [1, 2]}, [(True,), (False,)]),
    ],
)
def test_worlds_are_what_conditions_can_be_at_once(
    tmp_path: Path, conditions: dict[str, Any], expected: list[tuple[bool, ...]]
) -> None:
    assert sorted(ways(tmp_path, conditions), reverse=True) == expected


def test_the_world_in_which_most_conditions_hold_comes_first(tmp_path: Path) -> None:
    conditions = {"A": {"Fn::Not": [is_("P", "a")]}, "B": {"Fn::Not": [is_("Q", "a")]}}
    assert ways(tmp_path, conditions)[0] == (True, True)


def test_where_the_region_is_unknown_both_ways_are_looked_at(tmp_path: Path) -> None:
    conditions = {"A": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    assert ways(tmp_path, conditions, account="unknown-account", region="unknown-region") == [(True,), (False,)]


def test_a_resource_under_a_condition_that_never_holds_is_there(tmp_path: Path) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere"]}},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Condition": "Never"}},
    }
    assert [[each.logical_id for each in model.resources] for model in models(tmp_path, template)] == [["Bucket"]]


def test_more_worlds_than_can_be_looked_at_are_refused(tmp_path: Path) -> None:
    conditions = {f"C{number}": {"Fn::Equals": [str(number), "x"]} for number in range(MAX_WORLDS.bit_length())}
    (only,) = models(tmp_path, deciding(conditions))
    assert any("C0, C1" in refusal for refusal in refused(only))


def test_a_template_nested_twice_has_its_conditions_twice(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "inner.template.json"}}
    folder = write(tmp_path, {"Stack": {"Resources": {"One": nested, "Other": nested}}})
    (folder / "inner.template.json").write_text(json.dumps(deciding({"A": is_("P", "a")})))
    held = {
        tuple(resource(model, "A", f"Stack-{name}").value("Holds") for name in ("One", "Other"))
        for model in read_models(folder)
    }
    assert held == set(product((True, False), repeat=2))


def _combined(function: str, parts: list[Any]) -> dict[str, Any]:
    return {function: parts}


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.builds(_combined, st.sampled_from(["Fn::And", "Fn::Or"]), st.lists(inner, min_size=2, max_size=3))
    return st.one_of(several, st.builds(_combined, st.just("Fn::Not"), st.lists(inner, min_size=1, max_size=1)))


equalities = st.builds(is_, st.sampled_from(["P", "Q"]), st.sampled_from(["a", "b"]))
conditions_of: st.SearchStrategy[Any] = st.recursive(equalities, _larger, max_leaves=6)


def holds(definition: Any, given: Mapping[str, str]) -> bool:
    """What a condition is for given values of the parameters, the slow way."""
    ((function, arguments),) = definition.items()
    if function == "Fn::Equals":
        return given[arguments[0]["Ref"]] == arguments[1]
    parts = [holds(part, given) for part in arguments]
    return {"Fn::Not": not parts[0], "Fn::And": all(parts), "Fn::Or": any(parts)}[function]


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(st.lists(conditions_of, min_size=1, max_size=3))
def test_worlds_are_those_that_some_values_of_the_parameters_make(definitions: list[Any]) -> None:
    conditions = {f"C{number}": definition for number, definition in enumerate(definitions)}
    values = product(("a", "b", "neither"), repeat=2)
    possible = {tuple(holds(each, {"P": p, "Q": q}) for each in definitions) for p, q in values}
    with tempfile.TemporaryDirectory() as folder:
        assert set(ways(Path(folder), conditions)) == possible
