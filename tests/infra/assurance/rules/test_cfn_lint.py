"""What cfn-lint finds is told of the resource that it is about."""

from pathlib import Path

from infra.assurance.model.assembly import read_assembly
from infra.assurance.rules import cfn_lint
from tests.infra.assurance.assembly import write


def test_a_finding_is_told_of_the_resource_by_its_place(tmp_path: Path) -> None:
    plain = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365}}
    wrong = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"RetentionInDays": "soon"},
        "Metadata": {"aws:cdk:path": "a/Planted/Resource"},
    }
    stacks = read_assembly(write(tmp_path, {"a": {"Resources": {"Planted": wrong, "Other": plain}}}))
    assert {finding.resource for finding in cfn_lint.judge(stacks)} == {"a/Planted/Resource"}
