"""Functions in functions mean what their parts mean, put together the slow way."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write
from tests.infra.assurance.model.reading import resource

TEXTS = ["", "a", "b/c", "d:e:f", "0.0.0.0/0", "x,y"]
EXPORTS = {f"out{number}": text for number, text in enumerate(TEXTS)}
PARAMETERS = {f"P{number}": {"Type": "String", "Default": text} for number, text in enumerate(TEXTS)}
MAPPINGS = {"M": {"top": {f"k{number}": text for number, text in enumerate(TEXTS)}}}
CONDITIONS = {"Either": {"Fn::Equals": [{"Ref": "P0"}, "never"]}}


@dataclass(frozen=True)
class Case:
    """A value as a template writes it, and what it means where `Either` holds and where it does not."""

    written: Any
    meant: tuple[Any, Any]


def both(value: Any) -> tuple[Any, Any]:
    return value, value


leaves = st.sampled_from(
    [Case(text, both(text)) for text in TEXTS]
    + [Case({"Ref": f"P{number}"}, both(text)) for number, text in enumerate(TEXTS)]
    + [Case({"Fn::ImportValue": name}, both(text)) for name, text in EXPORTS.items()]
    + [Case({"Fn::FindInMap": ["M", "top", f"k{number}"]}, both(text)) for number, text in enumerate(TEXTS)]
    + [Case({"Ref": "AWS::AccountId"}, both("111122223333"))]
)


def _join(delimiter: str, parts: list[Case]) -> Case:
    return Case(
        {"Fn::Join": [delimiter, [part.written for part in parts]]},
        (delimiter.join(part.meant[0] for part in parts), delimiter.join(part.meant[1] for part in parts)),
    )


def _sub(parts: list[Case]) -> Case:
    pattern = "".join(f"<${{V{number}}}>" for number in range(len(parts)))
    return Case(
        {"Fn::Sub": [pattern, {f"V{number}": part.written for number, part in enumerate(parts)}]},
        ("".join(f"<{part.meant[0]}>" for part in parts), "".join(f"<{part.meant[1]}>" for part in parts)),
    )


def _select(parts: list[Case], index: int) -> Case:
    chosen = parts[index % len(parts)]
    return Case({"Fn::Select": [index % len(parts), [part.written for part in parts]]}, chosen.meant)


def _first_of_split(delimiter: str, part: Case) -> Case:
    written = {"Fn::Select": [0, {"Fn::Split": [delimiter, part.written]}]}
    return Case(written, (part.meant[0].split(delimiter)[0], part.meant[1].split(delimiter)[0]))


def _either(one: Case, other: Case) -> Case:
    return Case({"Fn::If": ["Either", one.written, other.written]}, (one.meant[0], other.meant[1]))


def larger(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    delimiters, several = st.sampled_from(["/", ":", ","]), st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(_join, delimiters, several),
        st.builds(_sub, several),
        st.builds(_select, several, st.integers(0, 5)),
        st.builds(_first_of_split, delimiters, inner),
        st.builds(_either, inner, inner),
    )


texts = st.recursive(leaves, larger, max_leaves=12)


def _list(parts: list[Case]) -> Case:
    return Case([part.written for part in parts], ([p.meant[0] for p in parts], [p.meant[1] for p in parts]))


def _table(parts: dict[str, Case]) -> Case:
    meant = [{key: part.meant[side] for key, part in parts.items()} for side in (0, 1)]
    return Case({key: part.written for key, part in parts.items()}, (meant[0], meant[1]))


values = st.recursive(
    texts,
    lambda inner: st.one_of(
        st.builds(_list, st.lists(inner, max_size=3)),
        st.builds(_table, st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)),
        st.builds(_either, inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(values)
def test_nested_functions_mean_what_their_parts_mean(case: Case) -> None:
    consumer = {
        "Parameters": PARAMETERS,
        "Mappings": MAPPINGS,
        "Conditions": CONDITIONS,
        "Resources": {
            "Holder": {"Type": "Test::Holder", "Properties": {"It": case.written}},
            "Branch": {"Type": "Test::Holder", "Properties": {"It": {"Fn::If": ["Either", 0, 1]}}},
        },
    }
    producer = {"Outputs": {name: {"Value": text, "Export": {"Name": name}} for name, text in EXPORTS.items()}}
    with tempfile.TemporaryDirectory() as folder:
        for model in read_models(write(Path(folder), {"Consumer": consumer, "Producer": producer})):
            side = resource(model, "Branch", "Consumer").value("It")
            assert resource(model, "Holder", "Consumer").value("It") == case.meant[side]
            assert not list(model.refusals)
