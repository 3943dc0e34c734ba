"""A reviewer reads what a change does to every environment, and first of all what it would lose."""

import copy
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.assembly import write
from tools import template_diff
from tools.template_diff import KEPT, MOST_CHARACTERS, MOST_PATHS, UNKNOWN, WANTED

Json = dict[str, Any]
ACCOUNTS = {"dev": "111122223333", "prod": "444455556666"}
OLD_IMAGE, NEW_IMAGE = "0123456789ab" + "c" * 52, "ba9876543210" + "d" * 52


def _template(stage: str, account: str) -> Json:
    return {
        "Resources": {
            "Rows": {
                "Type": "AWS::RDS::DBCluster",
                "DeletionPolicy": "Retain",
                "Properties": {"Engine": "aurora-postgresql", "MasterUsername": "one", "DeletionProtection": True},
                "Metadata": {"aws:cdk:path": f"{stage}/Data/Rows/Resource"},
            },
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {"ContainerDefinitions": [{"Image": f"{account}.dkr.ecr/assets:{OLD_IMAGE}"}]},
                "Metadata": {"aws:cdk:path": f"{stage}/Data/Task/Resource"},
            },
            "Filter": {"Type": "AWS::Logs::MetricFilter", "Properties": {"FilterPattern": 1}},
        },
        "Outputs": {"Url": {"Value": "a"}},
    }


class Change:
    """Two assemblies of two environments, alike but for what a test does to `new`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old = {stage: _template(stage, account) for stage, account in ACCOUNTS.items()}
        self.new = copy.deepcopy(self.old)
        self.waivers = folder / "waivers.toml"

    def read(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
        """Compare; the code and the lines."""
        for side, templates in (("old", self.old), ("new", self.new)):
            for stage, template in templates.items():
                write(self.folder / side, {"Data": template}, account=ACCOUNTS[stage], stage=stage)
        code = template_diff.main(self.folder / "old", self.folder / "new", self.waivers)
        return code, capsys.readouterr().out.splitlines()


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """The two assemblies."""
    return Change(tmp_path)


def test_nothing_is_told_where_nothing_differs(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    for template in change.new.values():
        template["Resources"]["Filter"]["Metadata"] = {"aws:asset:path": "elsewhere"}
    assert change.read(capsys) == (KEPT, ["# Stateful: nothing is lost", "# No template differs"])


def test_every_kind_of_change_is_told_once_for_all_environments(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage, template in change.new.items():
        resources = template["Resources"]
        resources["Topic"] = {"Type": "AWS::SNS::Topic"}
        del resources["Filter"]
        resources["Rows"]["Properties"]["BackupRetentionPeriod"] = 35
        resources["Task"]["Properties"]["ContainerDefinitions"][0]["Image"] = (
            f"{ACCOUNTS[stage]}.dkr.ecr/assets:{NEW_IMAGE}"
        )
        template["Outputs"] = {}
    code, lines = change.read(capsys)
    assert code == KEPT
    assert lines[1] == "@@ Data (dev, prod): 1 added, 1 removed, 1 changed, 1 replaced @@"
    assert lines[2:4] == ["! Outputs", '    Url: {"Value": "a"} → nothing']
    told = "\n".join(lines[4:])
    assert "! AWS::RDS::DBCluster Rows\n    BackupRetentionPeriod: nothing → 35" in told
    assert "! AWS::ECS::TaskDefinition Task: REPLACED: ContainerDefinitions is create-only\n" in told
    assert '>.dkr.ecr/assets:0123456789ab…" → …' in told
    assert '>.dkr.ecr/assets:ba9876543210…"' in told
    assert {"- AWS::Logs::MetricFilter Filter", "+ AWS::SNS::Topic Topic"} <= {*lines}


def test_what_refers_to_what_changes_is_perhaps_replaced(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    for templates in (change.old, change.new):
        task = templates["dev"]["Resources"]["Task"]["Properties"]
        task["ContainerDefinitions"] = [{"Image": {"Fn::GetAtt": ["Rows", "Endpoint.Address"]}}]
    change.new["dev"]["Resources"]["Rows"]["Properties"]["BackupRetentionPeriod"] = 35
    code, lines = change.read(capsys)
    assert code == KEPT
    assert "@@ Data (dev): 1 changed, 1 perhaps replaced @@" in lines
    assert any(line.startswith("! AWS::ECS::TaskDefinition Task: PERHAPS REPLACED: Container") for line in lines)


def test_what_one_environment_alone_changes_is_told_of_it_alone(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    change.new["prod"]["Resources"]["Filter"]["Properties"]["FilterPattern"] = 2
    _, lines = change.read(capsys)
    assert lines[1:] == [
        "@@ Data (prod): 1 changed @@",
        "! AWS::Logs::MetricFilter Filter",
        "    FilterPattern: 1 → 2",
    ]


def test_what_would_be_lost_stands_above_all_and_fails(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change.new["prod"]["Resources"]["Rows"]["Properties"]["MasterUsername"] = "another"
    code, lines = change.read(capsys)
    assert code == WANTED
    assert lines[0] == "- STATEFUL: the pipeline stops before this"
    assert lines[1].startswith("- wants a waiver: prod/Data/Rows: replaced: MasterUsername is ")
    assert any(line.startswith("! AWS::RDS::DBCluster Rows: REPLACED: MasterUsername") for line in lines)


def test_a_waiver_is_told_and_lets_it_pass(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change.new["prod"]["Resources"]["Rows"]["Properties"]["DeletionProtection"] = False
    row = '[[waiver]]\nresource = "{}"\nchange = "{}"\nreason = "It is meant so, and rehearsed."\nowner = "operations"'
    soon = datetime.now(UTC).date() + timedelta(days=30)
    rows = [row.format("prod/Data/Rows", "weaker DeletionProtection"), row.format("dev/Data/Rows", "removed")]
    change.waivers.write_text("\n".join(f"{one}\nexpires = {soon}\n" for one in rows))
    code, lines = change.read(capsys)
    assert (code, lines[0]) == (KEPT, "# Stateful: nothing is lost")
    assert lines[1].startswith("! waived: prod/Data/Rows: weaker DeletionProtection")
    assert any(line.startswith("# ") and "no such change (removed) of dev/Data/Rows" in line for line in lines)


def test_what_cannot_be_known_is_told_and_fails(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change.new["prod"]["Resources"]["Rows"]["Properties"]["KmsKeyId"] = {"Ref": "Nowhere"}
    code, lines = change.read(capsys)
    assert code == UNKNOWN
    assert lines[1].startswith("- not known: ")


def test_what_is_no_assembly_is_told_and_fails(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    (change.folder / "new").mkdir()
    change.new = {}
    code, lines = change.read(capsys)
    assert code == UNKNOWN
    assert lines[1].startswith("- not known: ")


def test_stacks_that_come_and_go_are_told(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    del change.old["prod"]
    del change.new["dev"]
    code, lines = change.read(capsys)
    assert code == WANTED
    gone = lines.index("@@ Data (dev): 3 removed @@")
    assert lines[gone + 1] == "- the stack is in these templates no longer; no deployment removes it"
    new = lines.index("@@ Data (prod): 3 added @@")
    assert lines[new + 1] == "+ the stack is new"


def test_a_line_is_one_line_whatever_the_template_says(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change.new["dev"]["Resources"]["Filter"]["Metadata"] = {"aws:cdk:path": "one\n```\ntwo"}
    change.new["dev"]["Resources"]["Filter"]["Properties"] = {"FilterName\n```": "a\n```\nb"}
    change.new["dev"]["Resources"]["Rows"]["Properties"]["Rows\n```"] = 1  # no such property: nothing is known of it
    _, lines = change.read(capsys)
    assert not any(line.startswith("```") for line in lines)


def test_much_is_cut_and_counted(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1500):
        change.new["dev"]["Resources"][f"A{number:060}"] = {"Type": "AWS::SNS::Topic" if number else "AWS::SQS::Queue"}
    change.new["dev"]["Resources"]["Filter"]["Properties"] = {str(number): "x" * 500 for number in range(50)}
    _, lines = change.read(capsys)
    assert f"    … and {51 - MOST_PATHS} more" in lines
    assert max(map(len, lines)) < 300
    assert len("\n".join(lines)) <= MOST_CHARACTERS + 40
    assert lines[-1].endswith("more lines")


def test_of_the_real_templates_what_is_lost_in_one_environment_is_found(
    assembly: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    shutil.copytree(assembly, new, ignore=shutil.ignore_patterns("asset.*"))
    (file,) = new.rglob("*prodData*.template.json")
    template = json.loads(file.read_text())
    (cluster,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::RDS::DBCluster")
    cluster["Properties"]["DeletionProtection"] = False
    file.write_text(json.dumps(template))
    assert template_diff.main(assembly, new, tmp_path / "none.toml") == WANTED
    told = capsys.readouterr().out
    assert "wants a waiver: prod/Data/" in told or "wants a waiver: pipeline/prod/Data/" in told
    assert "@@ Data (prod): 1 changed @@\n! AWS::RDS::DBCluster " in told
    assert told.count("\n@@ ") == told.count(" (prod): ")  # and at most what refers to it in another stack
