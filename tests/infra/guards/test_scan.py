"""``make scan`` tells what is not accepted, resource by resource, and rows of the register that accept nothing."""

import json
from pathlib import Path

import pytest

from infra.guards.acknowledgements import read_register
from infra.guards.scan import CFN_LINT, CONTROL_TOWER, ControlTower, Finding, StackTemplate, left_over
from tests.infra.template import Json

PLAIN = f"{CONTROL_TOWER}::CT.CLOUDWATCH.PR.3"


def group(**properties: object) -> Json:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365, **properties}}


RESOURCES = {
    "Planted": group(),
    "Accepted": group(),
    "Imported": group(KmsKeyId={"Fn::ImportValue": "b:key"}),
}


@pytest.fixture
def template(tmp_path: Path) -> StackTemplate:
    """Of three log groups, two of them without a key, which is accepted of one."""
    metadata: dict[str, list[Json]] = {
        f"/a/{name}/Resource": [{"type": "aws:cdk:logicalId", "data": name}] for name in RESOURCES
    }
    metadata["/a/Accepted/Resource"].append({"type": "aws:cdk:acknowledged-rules", "data": {PLAIN: "a reason"}})
    (tmp_path / "a.template.json").write_text(json.dumps({"Resources": RESOURCES}))
    (tmp_path / "a.metadata.json").write_text(json.dumps(metadata))
    return StackTemplate(tmp_path / "a.template.json")


def test_what_is_not_accepted_of_a_resource_is_told_of_it(template: StackTemplate, tmp_path: Path) -> None:
    found = ControlTower(tmp_path / "guard").judge(template)
    assert {(f.rule, f.resource) for f in found} == {(PLAIN, "a/Planted/Resource"), (PLAIN, "a/Accepted/Resource")}
    (planted,) = left_over(found, [template])[0]
    assert planted.resource == "a/Planted/Resource"
    assert "encrypted at rest" in planted.message


def test_what_is_accepted_by_one_rule_is_told_by_another(template: StackTemplate) -> None:
    other = Finding(f"{CFN_LINT}::E3012", "a/Accepted/Resource", "365 is not of type integer")
    assert left_over([other], [template])[0] == [other]


def test_a_row_that_accepts_nothing_is_told(template: StackTemplate) -> None:
    register = read_register()
    assert set(left_over([], [template])[1]) == {
        (rule, resource)
        for row in (*register.environment, *register.pipeline, *register.guards)
        for rule in row.rules
        for resource in row.resources
        if rule.startswith((f"{CONTROL_TOWER}::", f"{CFN_LINT}::"))
    }
