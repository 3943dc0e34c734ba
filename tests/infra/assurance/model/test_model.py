"""Names lead from stack to stack as they do when the stacks are deployed, and never in circles."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.identity import is_unknown
from infra.assurance.model.model import read_models
from infra.assurance.refusal import Refused
from tests.infra.assurance.assembly import write
from tests.infra.assurance.model.reading import refused, resource

GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": "vpc-1"}}


def exporting(name: Any, value: Any) -> dict[str, Any]:
    return {"Resources": {"Group": GROUP}, "Outputs": {"Out": {"Value": value, "Export": {"Name": name}}}}


def holding(value: Any, **sections: Any) -> dict[str, Any]:
    return {**sections, "Resources": {"Holder": {"Type": "Test::Holder", "Properties": {"It": value}}}}


IMPORT = holding({"Fn::ImportValue": {"Fn::Sub": "${AWS::Region}-group"}})
EXPORT = exporting({"Fn::Sub": "${AWS::Region}-group"}, {"Fn::GetAtt": ["Group", "GroupId"]})


def test_an_import_leads_to_the_resource_that_is_exported(tmp_path: Path) -> None:
    (model,) = read_models(write(tmp_path, {"Consumer": IMPORT, "Producer": EXPORT}))
    assert model.find(resource(model, "Holder", "Consumer").value("It")) is resource(model, "Group", "Producer")


@pytest.mark.parametrize("place", [{"account": "222233334444"}, {"region": "eu-west-1"}])
def test_exports_of_other_accounts_and_regions_are_not_imported(tmp_path: Path, place: dict[str, str]) -> None:
    write(tmp_path, {"Consumer": holding({"Fn::ImportValue": "group"})})
    (model,) = read_models(write(tmp_path, {"Producer": exporting("group", "x")}, **place))
    with pytest.raises(Refused, match="group, which no stack"):
        resource(model, "Holder", "Consumer").value("It")


def test_an_import_leads_to_a_stack_of_the_same_stage_first(tmp_path: Path) -> None:
    for stage in ("one", "other"):
        stacks = {f"{stage}-C": holding({"Fn::ImportValue": "group"}), f"{stage}-P": exporting("group", stage)}
        write(tmp_path, stacks, stage=stage, account="unknown-account", region="unknown-region")
    (model,) = read_models(tmp_path)
    assert [resource(model, "Holder", f"{stage}-C").value("It") for stage in ("one", "other")] == ["one", "other"]


def test_what_two_stacks_export_is_refused(tmp_path: Path) -> None:
    stacks = {"C": holding({"Fn::ImportValue": "group"}), "P": exporting("group", "p"), "Q": exporting("group", "q")}
    (model,) = read_models(write(tmp_path, stacks))
    with pytest.raises(Refused, match="exported by 2 stacks"):
        resource(model, "Holder", "C").value("It")


@pytest.mark.parametrize("export", [None, 5, "text", [], {}, {"Name": None}, {"Name": 5}, {"Name": ["x"]}])
def test_malformed_exports_are_refused_by_name(tmp_path: Path, export: Any) -> None:
    template = {"Outputs": {"Out": {"Value": "x", "Export": export}}}
    (model,) = read_models(write(tmp_path, {"Stack": template}))
    assert not model.exports
    assert ["output Out" in each for each in refused(model)] == [True]


def test_values_that_the_cdk_carries_to_another_region_lead_to_their_resource(tmp_path: Path) -> None:
    name = "/cdk/exports/Reader/Writeruseast1RefGroup"
    reader = {"Type": "Custom::CrossRegionExportReader"}
    consumer = holding({"Fn::GetAtt": ["Reader", name]})
    consumer["Resources"]["Reader"] = reader
    exports = {"region": "eu-west-1", "exports": {name: {"Fn::GetAtt": ["Group", "GroupId"]}}}
    writer = {"Type": "Custom::CrossRegionExportWriter", "Properties": {"WriterProps": exports}}
    write(tmp_path, {"Consumer": consumer}, region="eu-west-1")
    write(tmp_path, {"Producer": {"Resources": {"Group": GROUP, "Writer": writer}}})
    (model,) = read_models(tmp_path)
    assert model.find(resource(model, "Holder", "Consumer").value("It")) is resource(model, "Group", "Producer")


def test_what_no_stack_carries_is_unknown(tmp_path: Path) -> None:
    consumer = holding({"Fn::GetAtt": ["Reader", "/cdk/exports/nobody"]})
    consumer["Resources"]["Reader"] = {"Type": "Custom::CrossRegionExportReader"}
    (model,) = read_models(write(tmp_path, {"Stack": consumer}))
    assert is_unknown(resource(model, "Holder").value("It"))


def nested(folder: Path, outer: dict[str, Any], inner: dict[str, Any], parameters: Any) -> Path:
    body = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": parameters}}
    body["Metadata"] = {"aws:asset:path": "inner.json"}
    (folder / "inner.json").write_text(json.dumps(inner))
    return write(folder, {"Stack": {**outer, "Resources": {**outer.get("Resources", {}), "Nested": body}}})


def test_parameters_and_outputs_lead_through_nested_stacks(tmp_path: Path) -> None:
    inner = holding({"Ref": "Group"}, Parameters={"Group": {"Type": "String"}, "Zones": {"Type": "CommaDelimitedList"}})
    inner["Outputs"] = {"Back": {"Value": {"Ref": "Group"}}, "Zones": {"Value": {"Fn::Select": [1, {"Ref": "Zones"}]}}}
    outer = {"Resources": {"Group": GROUP, **holding({"Fn::GetAtt": ["Nested", "Outputs.Back"]})["Resources"]}}
    outer["Resources"]["Zone"] = {"Type": "Test::Holder", "Properties": {"It": {"Fn::GetAtt": "Nested.Outputs.Zones"}}}
    parameters = {"Group": {"Ref": "Group"}, "Zones": {"Fn::Join": [",", ["a", "b"]]}}
    (model,) = read_models(nested(tmp_path, outer, inner, parameters))
    group = resource(model, "Group")
    assert model.find(resource(model, "Holder", "Stack-Nested").value("It")) is group
    assert model.find(resource(model, "Holder").value("It")) is group
    assert resource(model, "Zone").value("It") == "b"


def test_what_a_nested_stack_of_no_template_says_is_refused(tmp_path: Path) -> None:
    template = holding({"Fn::GetAtt": ["Nested", "Outputs.Back"]})
    template["Resources"]["Nested"] = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:cdk:path": "App/Nested"}}
    (model,) = read_models(write(tmp_path, {"Stack": template}))
    with pytest.raises(Refused, match="App/Nested: is a nested stack"):
        resource(model, "Holder").value("It")


CIRCLES: list[dict[str, Any]] = [
    {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "A"}}}}},
    {"Resources": {
        "A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "B"}}},
        "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::GetAtt": ["A", "BucketName"]}}},
    }},
    {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::ImportValue": "x"}}}},
     "Outputs": {"O": {"Value": {"Fn::ImportValue": "x"}, "Export": {"Name": "x"}}}},
    {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::ImportValue": "x"}}}},
     "Outputs": {"O": {"Value": "v", "Export": {"Name": {"Fn::ImportValue": "x"}}}}},
]  # fmt: skip


@pytest.mark.parametrize("template", CIRCLES)
def test_circles_are_refused(tmp_path: Path, template: dict[str, Any]) -> None:
    (model,) = read_models(write(tmp_path, {"Stack": template}))
    with pytest.raises(Refused):
        _ = resource(model, "A").ref


def test_circles_through_nested_stacks_are_refused(tmp_path: Path) -> None:
    inner = {"Parameters": {"P": {"Type": "String"}}, "Outputs": {"O": {"Value": {"Ref": "P"}}}}
    outer = holding({"Fn::GetAtt": ["Nested", "Outputs.O"]})
    (model,) = read_models(nested(tmp_path, outer, inner, {"P": {"Fn::GetAtt": ["Nested", "Outputs.O"]}}))
    with pytest.raises(Refused, match="defined by itself"):
        resource(model, "Holder").value("It")


def test_resources_that_would_be_called_alike_are_told_apart(tmp_path: Path) -> None:
    copied = {**GROUP, "Metadata": {"aws:cdk:path": "App/Group/Resource"}}
    write(tmp_path, {"Stack": {"Resources": {"Group": copied, "Copy": copied, "Plain": GROUP}}})
    (model,) = read_models(write(tmp_path, {"Other": {"Resources": {"Plain": GROUP}}}))
    names = [each.name for each in model.resources]
    assert len(set(names)) == 4
    assert "App/Group" not in names


def test_a_name_leads_within_its_own_account_and_first_within_its_stack(tmp_path: Path) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "same"}}
    for number, stage in enumerate(("one", "other")):
        write(tmp_path, {stage: {"Resources": {"Role": role}}}, stage=stage, account=f"11112222333{number}")
    (model,) = read_models(tmp_path)
    for stage in ("one", "other"):
        assert model.find("same", "AWS::IAM::Role", near=resource(model, "Role", stage)) is resource(
            model, "Role", stage
        )
    assert not refused(model)
    model.find("same", "AWS::IAM::Role")
    assert ["same: is a name of several resources" in each for each in refused(model)] == [True]
