"""An assembly is read whole: every stage and nested stack, or a refusal that names what was left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.assembly import read_assembly
from infra.assurance.model.model import read_models
from infra.assurance.refusal import Refusals, Refused
from tests.infra.assurance.assembly import write
from tests.infra.assurance.model.reading import refused, resource

BUCKET = {"Type": "AWS::S3::Bucket"}
EMPTY = {"Resources": {"Bucket": BUCKET}}
JUNK: tuple[Any, ...] = (None, True, 5, "text", [], [1], {}, {"a": 1}, [[]], {"a": {}})
NO_RESOURCES: list[Any] = [*JUNK, {"Type": 5}, {"Type": "A::B", "Properties": []}, {"Type": "A", "Metadata": 5}]
IN_NO_TEMPLATE: list[tuple[Any, str]] = [
    ({"Transform": "AWS::Serverless-2016-10-31"}, "AWS::Serverless-2016-10-31"),
    ({"Transform": ["AWS::LanguageExtensions", {"Name": "Own"}]}, "Own"),
    ({"Resources": {"Fn::ForEach::Loop": ["x", ["a"], {}]}}, "Fn::ForEach::Loop"),
    ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform"),
    ({"Resourcen": {}}, "Resourcen"),
    ({"Resources": {"M": {"Type": "My::Own::Part::MODULE"}}}, "module My::Own::Part::MODULE"),
    ({"Resources": {"F": {"Type": "AWS::Serverless::Function"}}}, "AWS::Serverless::Function"),
    ({"Resources": {"S": {"Type": "AWS::CloudFormation::StackSet"}}}, "S: deploys a template"),
    (
        {"Resources": {"S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x/y"}}}},
        "S: is a nested stack",
    ),
]


def names(folder: Path) -> list[str]:
    (model,) = read_models(folder)
    return [each.name for each in model.resources]


def what_is_refused(folder: Path) -> list[str]:
    models = read_models(folder)
    return refused(models[0])


def change(file: Path, **entries: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


def test_stacks_of_every_stage_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"Outer": EMPTY})
    write(tmp_path, {"Inner": EMPTY}, stage="pipeline/prod", account="222233334444", region="eu-west-1")
    stacks = read_assembly(tmp_path)
    assert [(s.name, s.stage, s.account, s.region) for s in stacks] == [
        ("Outer", "", "111122223333", "us-east-1"),
        ("Inner", "pipeline/prod", "222233334444", "eu-west-1"),
    ]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-isob-east-1", "aws-iso-b"),
     ("eusc-de-east-1", "aws-eusc")],
)  # fmt: skip
def test_the_region_tells_the_partition(tmp_path: Path, region: str, partition: str) -> None:
    (stack,) = read_assembly(write(tmp_path, {"Stack": EMPTY}, region=region))
    assert stack.partition == partition


def test_a_folder_without_manifest_is_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no manifest\.json"):
        read_models(tmp_path)


def test_a_missing_template_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"Gone": EMPTY, "There": EMPTY})
    (tmp_path / "Gone.template.json").unlink()
    assert names(tmp_path) == ["AWS::S3::Bucket Bucket"]
    assert any("Gone.template.json" in each for each in what_is_refused(tmp_path))


def test_without_refusals_to_collect_the_first_one_is_raised(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": EMPTY})
    (tmp_path / "Stack.template.json").write_text("{")
    with pytest.raises(Refused, match=r"Stack\.template\.json"):
        read_assembly(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"a": 1, "a": 2}', "[" * 5000, '{"a": NaN'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"Stack": EMPTY})
    (tmp_path / "Stack.template.json").write_text(text)
    assert len(what_is_refused(tmp_path)) == 1


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": EMPTY})
    group = '"Group": {"Type": "AWS::EC2::SecurityGroup"}'
    (tmp_path / "Stack.template.json").write_text(f'{{"Resources": {{{group}, {group}}}}}')
    assert ["Group stands twice" in each for each in what_is_refused(tmp_path)] == [True]


@pytest.mark.parametrize("wrong", JUNK)
@pytest.mark.parametrize(
    "place",
    ["artifacts", "artifact", "type", "environment", "properties", "metadata", "additionalMetadataFile", "templateFile",
     "stackName", "parameters", "directoryName"],
)  # fmt: skip
def test_malformed_manifests_are_refused_and_nothing_else(tmp_path: Path, place: str, wrong: Any) -> None:
    write(tmp_path, {"Stack": EMPTY})
    write(tmp_path, {"Stack": EMPTY}, stage="stage")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    artifacts = manifest["artifacts"]
    if place == "artifacts":
        manifest["artifacts"] = wrong
    elif place == "artifact":
        artifacts["Stack"] = wrong
    elif place in {"templateFile", "stackName", "parameters"}:
        artifacts["Stack"]["properties"][place] = wrong
    elif place == "directoryName":
        artifacts["assembly-stage"]["properties"][place] = wrong
    else:
        artifacts["Stack"][place] = wrong
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for model in read_models(tmp_path):
        assert all(isinstance(each.name, str) for each in model.resources)


@pytest.mark.parametrize("section", ["Resources", "Parameters", "Conditions", "Mappings", "Outputs", "Transform"])
@pytest.mark.parametrize("wrong", [None, True, 5, "text", [1], {"a": 1}, [[]], {"a": []}])
def test_malformed_sections_are_refused_and_nothing_else(tmp_path: Path, section: str, wrong: Any) -> None:
    write(tmp_path, {"Stack": {**EMPTY, section: wrong}})
    assert what_is_refused(tmp_path)


@pytest.mark.parametrize("body", NO_RESOURCES)
def test_a_malformed_resource_is_refused_by_name(tmp_path: Path, body: Any) -> None:
    write(tmp_path, {"Stack": {"Resources": {"Odd": body, "Bucket": BUCKET}}})
    assert names(tmp_path) == ["AWS::S3::Bucket Bucket"]
    assert ["Odd" in each for each in what_is_refused(tmp_path)] == [True]


@pytest.mark.parametrize(("template", "named"), IN_NO_TEMPLATE)
def test_what_stands_in_no_template_is_refused_by_name(tmp_path: Path, template: Any, named: str) -> None:
    write(tmp_path, {"Stack": template})
    assert [named in each for each in what_is_refused(tmp_path)] == [True]


def test_functions_of_the_language_extensions_need_no_macro(tmp_path: Path) -> None:
    assert not what_is_refused(write(tmp_path, {"Stack": {**EMPTY, "Transform": "AWS::LanguageExtensions"}}))


def test_artifacts_of_unknown_types_and_missing_context_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": EMPTY})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["artifacts"]["New"] = {"type": "aws:new:kind"}
    change(tmp_path / "manifest.json", artifacts=manifest["artifacts"], missing=[{"key": "vpc"}])
    assert [("aws:new:kind" in each, "context" in each) for each in what_is_refused(tmp_path)] == [
        (False, True),
        (True, False),
    ]


def test_an_assembly_that_holds_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": EMPTY})
    artifacts = {"Self": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}
    change(tmp_path / "manifest.json", artifacts=artifacts)
    assert ["holds itself" in each for each in what_is_refused(tmp_path)] == [True]


def nesting(**body: Any) -> dict[str, Any]:
    return {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack", **body}}}


def test_nested_stacks_are_read_by_the_path_of_their_asset(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": nesting(Metadata={"aws:asset:path": "inner.json", "aws:cdk:path": "App/Nested"})})
    (tmp_path / "inner.json").write_text(json.dumps(EMPTY))
    assert names(tmp_path) == ["App/Nested", "AWS::S3::Bucket Bucket"]


def test_nested_stacks_are_read_by_the_list_of_assets(tmp_path: Path) -> None:
    address = {"Fn::Sub": "https://s3.${AWS::Region}.${AWS::URLSuffix}/assets-${AWS::AccountId}/0123abc.json"}
    write(tmp_path, {"Stack": nesting(Properties={"TemplateURL": address})})
    asset = {"source": {"path": "inner.json"}, "destinations": {"current": {"objectKey": "0123abc.json"}}}
    (tmp_path / "Stack.assets.json").write_text(json.dumps({"files": {"0123abc": asset}}))
    (tmp_path / "inner.json").write_text(json.dumps(EMPTY))
    assert len(names(tmp_path)) == 2
    assert not what_is_refused(tmp_path)


def test_a_stack_that_nests_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"Stack": nesting(Metadata={"aws:asset:path": "Stack.template.json"})})
    assert ["nests itself" in each for each in what_is_refused(tmp_path)] == [True]


def test_values_come_from_the_assembly_before_the_default(tmp_path: Path) -> None:
    holder = {"Type": "Test::Holder", "Properties": {"It": {"Ref": "P"}}}
    parameters = {"P": {"Type": "String", "Default": "default"}}
    write(tmp_path, {"Stack": {"Parameters": parameters, "Resources": {"Holder": holder}}})
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    artifacts["Stack"]["properties"]["parameters"] = {"P": "given"}
    change(tmp_path / "manifest.json", artifacts=artifacts)
    (model,) = read_models(tmp_path)
    assert resource(model, "Holder").value("It") == "given"


def test_every_refusal_is_named_in_one_reading(tmp_path: Path) -> None:
    write(tmp_path, {"One": {"Transform": "A", "Resources": {}}, "Other": {"Transform": "B", "Resources": {}}})
    refusals = Refusals()
    read_assembly(tmp_path, refusals)
    assert not list(refusals)
    assert ["macro A" in each or "macro B" in each for each in what_is_refused(tmp_path)] == [True, True]
