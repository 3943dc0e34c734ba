"""Functions are computed as CloudFormation computes them; what only a deployment knows says so; the rest is refused."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.identity import is_unknown
from infra.assurance.refusal import Refused
from tests.infra.assurance.model.reading import held, holder, model, models, resource

PARAMETERS = {
    "Text": {"Type": "String", "Default": "some"},
    "Number": {"Type": "Number", "Default": 5432},
    "List": {"Type": "CommaDelimitedList", "Default": "a, b,c"},
    "Groups": {"Type": "List<AWS::EC2::SecurityGroup::Id>", "Default": "sg-1,sg-2"},
    "Looked": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/name"},
    "Asked": {"Type": "String"},
}
MAPPINGS = {"Map": {"us-east-1": {"Key": "value", "List": ["x", "y"]}, "other": {"Key": "else"}}}


INCOMPUTABLE: list[tuple[Any, str]] = [
    ({"Fn::GetStackOutput": ["a", "b"]}, "Fn::GetStackOutput"),
    ({"Fn::Transform": {"Name": "Macro"}}, "Fn::Transform"),
    ({"Fn::ForEach::Loop": ["x", ["a"], {}]}, "Fn::ForEach::Loop"),
    ({"Fn::Transform": {"Name": "Macro"}, "Beside": 1}, "stands beside"),
    ({"Ref": "Text", "Beside": 1}, "stands beside"),
    ({"Ref": "Nowhere"}, "Nowhere"),
    ({"Ref": ["Text"]}, "Ref"),
    ({"Ref": {"a": 1}}, "Ref"),
    ({"Fn::GetAtt": ["Nowhere", "Arn"]}, "Nowhere"),
    ({"Fn::GetAtt": "Holder"}, "Fn::GetAtt"),
    ({"Fn::GetAtt": ["Holder", 5]}, "Fn::GetAtt"),
    ({"Fn::Sub": "${Nowhere}"}, "Nowhere"),
    ({"Fn::Sub": 5}, "Fn::Sub"),
    ({"Fn::Join": [5, ["a"]]}, "Fn::Join"),
    ({"Fn::Join": [",", [{"a": "b"}]]}, "Fn::Join"),
    ({"Fn::Join": [",", "text"]}, "Fn::Join"),
    ({"Fn::Split": [",", 5]}, "Fn::Split"),
    ({"Fn::Select": [3, ["a"]]}, "Fn::Select"),
    ({"Fn::Select": [-1, ["a"]]}, "Fn::Select"),
    ({"Fn::Select": [0, "text"]}, "Fn::Select"),
    ({"Fn::Cidr": ["10.0.0.0/16", 10**9, 8]}, "Fn::Cidr"),
    ({"Fn::Cidr": ["10.0.0.0/24", 200, 4]}, "Fn::Cidr"),
    ({"Fn::Cidr": ["text", 2, 8]}, "Fn::Cidr"),
    ({"Fn::FindInMap": ["Map", "nowhere", "Key"]}, "Fn::FindInMap"),
    ({"Fn::FindInMap": ["Nothing", "a", "b"]}, "Fn::FindInMap"),
    ({"Fn::If": ["Undefined", 1, 2]}, "Undefined"),
    ({"Fn::If": [{"a": 1}, 1, 2]}, "Fn::If"),
    ({"Fn::ImportValue": "nobody exports"}, "nobody exports"),
    ({"Fn::ImportValue": ["x"]}, "Fn::ImportValue"),
    ({"Fn::Length": "text"}, "Fn::Length"),
    ({"Ref": "Asked"}, "parameter Asked"),
    ({"a": [None]}, "null"),
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"Ref": "Text"}, "some"),
        ({"Ref": "Number"}, 5432),
        ({"Ref": "List"}, ["a", "b", "c"]),
        ({"Ref": "Groups"}, ["sg-1", "sg-2"]),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::NotificationARNs"}, []),
        ({"Fn::Join": ["-", ["a", {"Ref": "Text"}, 1, True]]}, "a-some-1-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b,c"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::Sub": "${Text}:${!Text}:${AWS::AccountId}"}, "some:${Text}:111122223333"),
        ({"Fn::Sub": ["${Own}/${Text}", {"Own": {"Ref": "AWS::Region"}}]}, "us-east-1/some"),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Key"]}, "value"),
        ({"Fn::FindInMap": ["Map", "nowhere", "Key", {"DefaultValue": "given"}]}, "given"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Select": [1, {"Fn::Cidr": ["2001:db8::/56", 3, 64]}]}, "2001:db8:0:1::/64"),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Text"}]}}, json.dumps({"a": ["some"]})),
        ({"Fn::Length": {"Ref": "List"}}, 3),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": {"c": {"Ref": "Text"}}}, {"b": {"c": "some"}}),
        ({"Ref": "AWS::NoValue"}, None),
    ],
)
def test_functions_mean_what_cloudformation_makes_of_them(tmp_path: Path, written: Any, meant: Any) -> None:
    assert held(tmp_path, written, Parameters=PARAMETERS, Mappings=MAPPINGS) == meant


@pytest.mark.parametrize(("written", "named"), INCOMPUTABLE)
def test_what_cannot_be_computed_is_refused_by_name(tmp_path: Path, written: Any, named: str) -> None:
    with pytest.raises(Refused, match=named):
        held(tmp_path, written, Parameters=PARAMETERS, Mappings=MAPPINGS)


@pytest.mark.parametrize("wrong", [None, True, 0, 1.5, "", "text", [], [1], [[]], {}, {"a": {}}, ["a", "b", "c", "d"]])
@pytest.mark.parametrize(
    "function",
    ["Base64", "Cidr", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Select", "Split", "Sub",
     "ToJsonString", "Transform"],
)  # fmt: skip
def test_malformed_arguments_are_refused_and_nothing_else(tmp_path: Path, function: str, wrong: Any) -> None:
    holding = resource(model(tmp_path, holder({f"Fn::{function}": wrong})), "Holder")
    with suppress(Refused):
        holding.value("It")


@pytest.mark.parametrize(
    "written",
    [
        {"Ref": "Looked"},
        {"Fn::GetAtt": ["Custom", "Answer"]},
        {"Fn::Sub": "before ${Custom.Answer}"},
        {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Looked"}]}]},
        {"Fn::Select": [1, {"Fn::GetAZs": ""}]},
        {"Fn::Select": [3, {"Fn::Split": [":", {"Fn::Sub": "arn:aws:x:${Custom.Region}:y"}]}]},
        {"Fn::Base64": {"Ref": "Looked"}},
        {"Fn::Join": [",", {"Fn::Split": ["/", {"Ref": "Looked"}]}]},
        {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]}, 2, 64]}]},
        "{{resolve:ssm:name}}",
    ],
)
def test_what_only_a_deployment_knows_says_so(tmp_path: Path, written: Any) -> None:
    template = holder(written, Parameters=PARAMETERS)
    template["Resources"] |= {"Custom": {"Type": "Custom::Thing"}, "Vpc": {"Type": "AWS::EC2::VPC"}}
    assert is_unknown(resource(model(tmp_path, template), "Holder").value("It"))


def test_lists_that_only_a_deployment_knows_hold_one_unknown_text(tmp_path: Path) -> None:
    value = held(tmp_path, {"Zones": {"Fn::GetAZs": ""}, "Parts": [{"Fn::Split": [",", "{{resolve:ssm:x}}"]}]})
    assert [is_unknown(zone) for zone in value["Zones"]] == [True]
    assert [is_unknown(part) for part in value["Parts"][0]] == [True]


def test_parts_before_an_unknown_one_are_known(tmp_path: Path) -> None:
    split = {"Fn::Split": [":", {"Fn::Sub": "arn:aws:sns:us-east-1:${AWS::AccountId}:${Looked}"}]}
    assert held(tmp_path, {"Fn::Select": [4, split]}, Parameters=PARAMETERS) == "111122223333"


def test_no_part_of_an_attribute_of_unknown_form_is_made_up(tmp_path: Path) -> None:
    template = holder({"Fn::Select": [1, {"Fn::Split": ["-", {"Fn::GetAtt": ["Other", "Thing"]}]}]})
    template["Resources"]["Other"] = {"Type": "AWS::IoT::Thing"}
    assert is_unknown(resource(model(tmp_path, template), "Holder").value("It"))


def test_a_value_under_a_condition_is_looked_at_both_ways(tmp_path: Path) -> None:
    template = holder(
        {"list": [{"Fn::If": ["Wide", "0.0.0.0/0", {"Ref": "AWS::NoValue"}]}]},
        Parameters={"P": {"Type": "String", "Default": "no"}},
        Conditions={"Wide": {"Fn::Equals": [{"Ref": "P"}, "yes"]}},
    )
    values = [resource(each, "Holder").value("It") for each in models(tmp_path, template)]
    assert values == [{"list": ["0.0.0.0/0"]}, {"list": []}]


def test_all_properties_behind_one_function_are_computed(tmp_path: Path) -> None:
    template = holder(1, Conditions={"C": {"Fn::Equals": ["a", "b"]}})
    template["Resources"]["Holder"]["Properties"] = {"Fn::If": ["C", {"It": 1}, {"It": 2}]}
    assert [resource(each, "Holder").value("It") for each in models(tmp_path, template)] == [1, 2]


def test_what_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(250):
        deep = {"Fn::Join": ["", [deep]]}
    with pytest.raises(Refused, match="nested too deep"):
        held(tmp_path, deep)
