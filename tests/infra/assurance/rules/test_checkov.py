"""checkov's report is read resource by resource; what it could not read, and that it is not there, is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.refusal import Refused
from infra.assurance.rules import Finding, checkov
from tests.infra.assurance.assembly import write


@pytest.fixture
def stacks(tmp_path: Path) -> tuple[Stack, ...]:
    """Two with a bucket each, of which the second one's has a construct path."""
    plain = {"Type": "AWS::S3::Bucket"}
    named = {**plain, "Metadata": {"aws:cdk:path": "b/Objects/Resource"}}
    return read_assembly(
        write(tmp_path / "out", {"a": {"Resources": {"Objects": plain}}, "b": {"Resources": {"Objects": named}}})
    )


def program(folder: Path, report: Any, end: int = 1) -> Path:
    """What answers as checkov does: with the report."""
    file = folder / "program"
    (folder / "report.json").write_text(json.dumps(report))
    file.write_text(f"#!/bin/sh\ncat {folder / 'report.json'}\nexit {end}\n")
    file.chmod(0o700)
    return file


def failed(file: str) -> dict[str, str]:
    return {
        "check_id": "CKV_AWS_18",
        "check_name": "no access logs",
        "file_path": file,
        "resource": "AWS::S3::Bucket.Objects",
    }


def test_a_finding_is_told_of_the_resource_of_its_own_template(stacks: tuple[Stack, ...], tmp_path: Path) -> None:
    report = {"check_type": "cloudformation", "results": {"failed_checks": [failed("/1.json"), failed("/0.json")]}}
    assert checkov.judge(stacks, program(tmp_path, report)) == [
        Finding("checkov::CKV_AWS_18", "AWS::S3::Bucket Objects", "no access logs", "out/a.template.json"),
        Finding("checkov::CKV_AWS_18", "b/Objects/Resource", "no access logs", "out/b.template.json"),
    ]


def test_reports_of_several_kinds_and_of_nothing_are_read(stacks: tuple[Stack, ...], tmp_path: Path) -> None:
    results = {"results": {"failed_checks": [failed("/0.json")]}}
    assert len(checkov.judge(stacks, program(tmp_path, [results, {"passed": 0, "failed": 0}], end=0))) == 1


def test_what_it_cannot_read_is_refused(stacks: tuple[Stack, ...], tmp_path: Path) -> None:
    report = {"results": {"failed_checks": [], "parsing_errors": ["/0.json"]}}
    with pytest.raises(Refused, match="cannot read 1"):
        checkov.judge(stacks, program(tmp_path, report))
    with pytest.raises(Refused, match="ended with 2"):
        checkov.judge(stacks, program(tmp_path, report, end=2))


def test_without_it_the_remedy_is_told(stacks: tuple[Stack, ...], tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"make \.tools/checkov/\.stamp"):
        checkov.judge(stacks, tmp_path / "nothing")
