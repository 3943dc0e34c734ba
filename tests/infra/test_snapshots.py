"""Every template as it was last reviewed, a file a stack: what a change of the code changes in an account is its diff.

Hashes of assets are left out, so that a change of a service's code is none here.
"""

import json
import re
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.infra.template import Json

REVIEWED = Path(__file__).parent / "__snapshots__" / "test_snapshots"
COMMAND = "make snapshots, and read the diff before you commit it"


class StackFile(SingleFileSnapshotExtension):
    """``__snapshots__/test_snapshots/test_a_stack_is_as_it_was_reviewed[<stack>].yaml``."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


def as_yaml(template: Json) -> str:
    """A template as people read it, in an order of its own."""
    text = yaml.dump(template, Dumper=yaml.CSafeDumper, width=120, default_flow_style=None, allow_unicode=True)
    return re.sub(r"[0-9a-f]{32,}", "<hash>", text)


@pytest.fixture(scope="module")
def stacks(assembly: Path) -> dict[str, str]:
    """The template of every stack, by its name."""
    found: dict[str, str] = {}
    for manifest in assembly.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text()).get("artifacts", {}).values():
            if artifact["type"] == "aws:cloudformation:stack":
                template = json.loads((manifest.parent / artifact["properties"]["templateFile"]).read_text())
                found[artifact["displayName"].split(" ")[0].replace("/", "-")] = as_yaml(template)
    return found


def test_a_stack_is_as_it_was_reviewed(
    stacks: dict[str, str], snapshot: SnapshotAssertion, subtests: pytest.Subtests
) -> None:
    as_reviewed = snapshot.use_extension(StackFile)
    for name, text in stacks.items():
        with subtests.test(name):
            assert text == as_reviewed(name=name), COMMAND


def test_nothing_is_reviewed_that_is_no_stack(stacks: dict[str, str]) -> None:
    reviewed = {path.stem.split("[")[1].removesuffix("]") for path in REVIEWED.iterdir()}
    assert reviewed == set(stacks), COMMAND
