"""Cloud assemblies of hand-written templates."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VERSION = "54.0.0"
"""Of the assembly's schema; the proof reads any."""


def write(
    folder: Path,
    stacks: Mapping[str, Mapping[str, Any]],
    *,
    account: str = "111122223333",
    region: str = "us-east-1",
    stage: str = "",
) -> Path:
    """Add stacks (templates by stack name) to the assembly in the folder, which is made if need be.

    Stacks of a CDK stage go into a nested assembly, as the CDK writes it. A resource's construct path is what its
    `Metadata` says, else it has none.
    """
    inner = folder / f"assembly-{stage.replace('/', '-')}" if stage else folder
    inner.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for name, template in stacks.items():
        file = f"{name}.template.json"
        (inner / file).write_text(json.dumps(template))
        artifacts[f"{stage.replace('/', '-')}{name}"] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account}/{region}",
            "properties": {"templateFile": file, "stackName": name},
            "displayName": name,
        }
    _add(inner, artifacts)
    if stage:
        properties = {"directoryName": inner.name, "displayName": stage}
        _add(folder, {inner.name: {"type": "cdk:cloud-assembly", "properties": properties}})
    return folder


def _add(folder: Path, artifacts: Mapping[str, Any]) -> None:
    file = folder / "manifest.json"
    before: dict[str, Any] = json.loads(file.read_text())["artifacts"] if file.exists() else {}
    file.write_text(json.dumps({"version": VERSION, "artifacts": {**before, **artifacts}}))
