"""``python -m infra.guards.scan CDK_OUT`` (``make scan``): what takes too long for every synth.

cfn-lint, and the proactive controls of AWS Control Tower as CloudFormation Guard judges them, over every template of a
cloud assembly. What they find is accepted by the register, as what cdk-nag finds in a synth. Imports no CDK.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import files
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from infra.guards.acknowledgements import REGISTER, idle, read_register

CONTROL_TOWER, CFN_LINT = "ControlTower", "cfn-lint"
"""Who judges: what comes before ``::`` in the register."""
REGION = "us-east-1"
"""Whose resource types cfn-lint knows: all that are in use are there."""
FAILED = 19
"""With which Guard ends when rules are broken."""


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a resource breaks."""

    rule: str
    resource: str
    """Its whole construct path, or its stack's."""
    message: str


class StackTemplate:
    """A template of a cloud assembly, with what the library says of it in the file beside it."""

    def __init__(self, path: Path) -> None:
        """``path`` ends in ``.template.json``."""
        self.path = path
        self.content: dict[str, Any] = json.loads(path.read_text())
        told = path.with_name(path.name.replace(".template.json", ".metadata.json"))
        self._metadata: dict[str, list[dict[str, Any]]] = json.loads(told.read_text())

    @cached_property
    def _paths(self) -> dict[str, str]:
        told = self._metadata.items()
        return {e["data"]: path[1:] for path, entries in told for e in entries if e["type"] == "aws:cdk:logicalId"}

    @property
    def types(self) -> set[str]:
        """Of its resources."""
        return {resource["Type"] for resource in self.content["Resources"].values()}

    def path_of(self, logical_id: str) -> str:
        """The construct path of a resource; of what is none, the name of the template."""
        return self._paths.get(logical_id, self.path.name)

    def acknowledged(self) -> Iterator[tuple[str, str]]:
        """Rule and resource of everything that is accepted in it."""
        for path, entries in self._metadata.items():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    yield from ((rule, path[1:]) for rule in entry["data"])


class ControlTower:
    """The rules, and the Guard that reads them, from the package that has both for the library of the CDK."""

    def __init__(self, folder: Path) -> None:
        """Unpack them into ``folder``."""
        system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
        machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
        wanted = (f"package/bin/{system}/{machine}/", "package/rules/control-tower/cfn-guard/")
        (package,) = (f for f in files("cdklabs.cdk-validator-cfnguard") or () if f.suffix == ".tgz")
        with tarfile.open(package.locate()) as archive:
            members = [member for member in archive if member.name.startswith(wanted)]
            archive.extractall(folder, members, filter="data")
        self._folder = folder
        self._guard = folder / wanted[0] / "cfn-guard"
        self._rules = {
            path: set(re.findall(r"AWS::\w+::\w+", path.read_text())) for path in (folder / wanted[1]).rglob("*.guard")
        }

    def judge(self, template: StackTemplate) -> list[Finding]:
        """What the rules find that name a type of its resources: each of the others would cost time for nothing."""
        rules = [str(path) for path, types in self._rules.items() if types & template.types]
        if not rules:
            return []
        data = self._folder / template.path.name
        data.write_text(json.dumps(json.loads(template.path.read_text(), object_hook=_imported)))
        options = ("--output-format", "json", "--show-summary", "none", "--structured")
        flags = [flag for rule in rules for flag in ("--rules", rule)]
        report = json.loads(_run([self._guard, "validate", "--data", data, *flags, *options], {0, FAILED}))
        return [
            found for judged in report for broken in judged["not_compliant"] for found in _findings(broken, template)
        ]


def _findings(broken: dict[str, Any], template: StackTemplate) -> Iterator[Finding]:
    """One for each resource that breaks a rule."""
    control = re.search(r"\[(CT\.[\w.]+)\]: (.+?)\\n", json.dumps(broken))
    rule, message = control.groups() if control else (broken["Rule"]["name"], "")
    for logical_id in _broken_by(broken) or {""}:
        yield Finding(f"{CONTROL_TOWER}::{rule}", template.path_of(logical_id), message)


def _imported(value: dict[str, Any]) -> Any:
    """Guard cannot see into other stacks: to it, what one exports is a text like any other."""
    return f"exported: {value['Fn::ImportValue']}" if "Fn::ImportValue" in value else value


def _broken_by(check: object) -> set[str]:
    """The logical ids of what broke a rule; Guard's report names them at every depth, and only those."""
    if isinstance(check, list):
        return set[str]().union(*map(_broken_by, cast("list[object]", check)))
    if not isinstance(check, dict):
        return set()
    parts = cast("dict[str, object]", check)
    resource = re.match(r"/Resources/([^/]+)", str(parts.get("path", "")))
    return ({resource[1]} if resource else set[str]()).union(*map(_broken_by, parts.values()))


def lint(templates: Iterable[StackTemplate]) -> list[Finding]:
    """What cfn-lint finds."""
    by_file = {str(template.path): template for template in templates}
    program = Path(sys.executable).with_name("cfn-lint")
    report = _run([program, "--format", "json", "--regions", REGION, "--", *by_file], {0, 2, 4, 6, 8, 10, 12, 14})
    return [
        Finding(
            f"{CFN_LINT}::{found['Rule']['Id']}",
            by_file[found["Filename"]].path_of(str([*found["Location"].get("Path", []), "", ""][1])),
            found["Message"],
        )
        for found in json.loads(report)
    ]


def scan(templates: Sequence[StackTemplate]) -> set[Finding]:
    """What both find.

    Raises:
        subprocess.CalledProcessError: one could not do its work.
    """
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        control_tower = ControlTower(Path(folder))
        linted = pool.submit(lint, templates)
        return {*chain.from_iterable(pool.map(control_tower.judge, templates)), *linted.result()}


def left_over(
    findings: Iterable[Finding], templates: Iterable[StackTemplate]
) -> tuple[list[Finding], list[tuple[str, str]]]:
    """Findings that are not accepted, and rows of the register that accept none: rule and resource.

    Raises:
        InvalidSettings: the settings or the register are wrong.
    """
    acknowledged = {pair for template in templates for pair in template.acknowledged()}
    found = {(finding.rule, finding.resource): finding for finding in findings}
    return (
        sorted(found[pair] for pair in found.keys() - acknowledged),
        idle(read_register(), found.keys() & acknowledged, judges={CONTROL_TOWER, CFN_LINT}),
    )


def _run(command: Sequence[str | Path], ends: Container[int]) -> str:
    """What it writes; it ends with one of ``ends``."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # programs of packages
    if done.returncode not in ends:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def main() -> None:
    """Say what was found, and end with 1 if there is anything."""
    assembly = Path(sys.argv[1])
    templates = [StackTemplate(path) for path in sorted(assembly.rglob("*.template.json"))]
    if not templates:
        sys.exit(f"{assembly} is no cloud assembly: run `make synth` first")
    findings, rows = left_over(scan(templates), templates)
    for found in findings:
        print(f"{found.resource}: {found.rule}: {found.message}")  # noqa: T201  # a command's answer
    for rule, resource in rows:
        print(f"{REGISTER}: a row accepts nothing: {rule} on {resource}")  # noqa: T201  # a command's answer
    sys.exit(bool(findings or rows))


if __name__ == "__main__":
    main()
