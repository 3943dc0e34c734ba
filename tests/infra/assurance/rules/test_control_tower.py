"""Controls of AWS Control Tower are judged resource by resource, and what Guard cannot judge is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.rules import Finding, control_tower, findings
from tests.infra.assurance.assembly import write

Json = dict[str, Any]
PLAIN = f"{control_tower.JUDGE}::CT.CLOUDWATCH.PR.3"


def group(**properties: object) -> Json:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365, **properties}}


RESOURCES: Json = {
    "Planted": {**group(), "Metadata": {"aws:cdk:path": "a/Planted/Resource"}},
    "Named": group(),
    "Imported": group(KmsKeyId={"Fn::ImportValue": "b:key"}),
    "Encrypted": group(KmsKeyId={"Fn::GetAtt": ["Key", "Arn"]}),
    "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True, "KeySpec": "SYMMETRIC_DEFAULT"}},
}


def judged(*stacks: Stack) -> list[Finding]:
    refusals = Refusals()
    found = control_tower.judge(stacks, refusals)
    assert list(refusals) == []
    return found


def test_a_resource_is_told_by_its_path_or_by_type_and_logical_id(tmp_path: Path) -> None:
    found = judged(*read_assembly(write(tmp_path, {"a": {"Resources": RESOURCES}})))
    found = [finding for finding in found if finding.rule == PLAIN]
    assert {f.resource for f in found} == {"a/Planted/Resource", "AWS::Logs::LogGroup Named"}
    assert {f.template for f in found} == {f"{tmp_path.name}/a.template.json"}
    assert all("encrypted at rest" in f.message for f in found)


def test_every_template_is_judged_for_itself(tmp_path: Path) -> None:
    write(tmp_path, {"a": {"Resources": {"Lines": group()}}, "b": {"Resources": {"Lines": group(KmsKeyId="key")}}})
    write(tmp_path, {"a": {"Resources": {"Lines": group()}}}, stage="prod")
    write(tmp_path, {"none": {"Resources": {}}, "other": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}})
    found = judged(*read_assembly(tmp_path))
    assert sorted(f.template for f in found) == ["assembly-prod/a.template.json", f"{tmp_path.name}/a.template.json"]


def test_what_breaks_only_beside_another_type_is_found(tmp_path: Path) -> None:
    bucket: Json = {"Type": "AWS::S3::Bucket", "Properties": {}}
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Objects"}, "PolicyDocument": {}}}
    rule = f"{control_tower.JUDGE}::CT.S3.PR.8"
    found = judged(*read_assembly(write(tmp_path, {"a": {"Resources": {"Objects": bucket, "Policy": policy}}})))
    assert rule in {f.rule for f in found}


def test_a_guard_that_fails_is_no_clean_judgement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_tower, "_OPTIONS", ("--no-such-option",))
    folder = write(tmp_path, {"a": {"Resources": RESOURCES}})
    with pytest.raises(Refused, match="cannot be judged by Guard"):
        findings(folder)
    refusals = Refusals()
    findings(folder, refusals)
    assert len(refusals)


def test_without_its_package_there_is_no_judgement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_tower, "PACKAGE", "no.such.package")
    with pytest.raises(Refused, match="not installed"):
        findings(write(tmp_path, {"a": {"Resources": RESOURCES}}))


def test_what_stands_is_told_in_one_line() -> None:
    assert str(Finding("judge::rule", "a/b", "must not be", "a.json")) == "a/b: judge::rule: must not be (a.json)"
