"""cdk-nag, which judges constructs, over templates: each is included into a stack of its own.

``python -m tests.infra.assurance.cdk_nag_on_templates OUT.json FILE …`` writes what all its packs find: for every file
the rules that each logical id breaks. In a process of its own: what it finds, the library prints as well.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from infra.assurance.model.assembly import Stack
from infra.assurance.rules import Finding
from infra.assurance.rules.finding import resource_of
from tests.infra.synth import NODE

PACKS: Final = (
    "AwsSolutionsChecks",
    "HIPAASecurityChecks",
    "NIST80053R4Checks",
    "NIST80053R5Checks",
    "PCIDSS321Checks",
    "ServerlessChecks",
)
_PREFIX: Final = "s"  # with which the name of a stack has to begin


def judge(stacks: Sequence[Stack]) -> list[Finding]:
    """What all packs find."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        files = [stack.file for stack in stacks]
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, out, *files], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found: list[list[tuple[str, str]]] = json.loads(out.read_text())
    return [
        Finding(rule, resource_of(stack, logical_id), "", stack.where)
        for stack, pairs in zip(stacks, found, strict=True)
        for rule, logical_id in pairs
    ]


def _found(files: Sequence[str], folder: str) -> list[list[tuple[str, str]]]:
    os.environ["JSII_NODE"] = str(NODE)
    import aws_cdk as cdk  # noqa: PLC0415  # the process that asks needs no node
    import cdk_nag  # noqa: PLC0415
    from aws_cdk.cloudformation_include import CfnInclude  # noqa: PLC0415

    app = cdk.App(outdir=folder, stack_traces=False)
    for number, file in enumerate(files):
        stack = cdk.Stack(app, f"{_PREFIX}{number}", synthesizer=cdk.BootstraplessSynthesizer())
        CfnInclude(stack, "template", template_file=file)
    cdk.Validations.of(app).add_plugins(*(getattr(cdk_nag, pack)() for pack in PACKS))
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    report: dict[str, Any] = json.loads(Path(folder, "validation-report.json").read_text())
    found: list[list[tuple[str, str]]] = [[] for _ in files]
    for judged in report["pluginReports"]:
        for violation in judged["violations"]:
            for construct in violation["violatingConstructs"]:
                number, _, logical_id = construct["constructPath"].split("/")[:3]
                found[int(number.removeprefix(_PREFIX))].append((violation["ruleName"], logical_id))
    return found


def main() -> None:
    """Write what is found in the files."""
    out, *files = sys.argv[1:]
    with TemporaryDirectory() as folder:
        Path(out).write_text(json.dumps(_found(files, folder)))


if __name__ == "__main__":
    main()
