"""The page about a rehearsal, made of what happened: each step, and all that stood in for AWS or was left out."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.places import FOLDER

HEAD = """\
# Rehearsal

`make rehearse` takes a deployment through its life on one machine: the templates that this repository synthesizes, byte
for byte, deployed by the real `cdk` to an emulator of AWS (MiniStack, with a plugin: `rehearsal/plugin`), with real
containers, PostgreSQL, OpenSearch and a language model. It needs Linux, docker, `git`, and for OpenSearch a JDK of
version 21 or newer and Maven. Decision [0022](../docs/decisions/0022-rehearsed-on-an-emulator.md) says why. This page
was written by a run (`make rehearse WRITE=1`).
"""
LIMITS = """\
What stands below is not rehearsed. The proof (`make evidence`) computes it from the same templates.
"""


@dataclass(frozen=True)
class Seen:
    """A step, how long it took, and what it saw or why it failed."""

    name: str
    seconds: float
    saw: str
    failed: bool = False


def page(seen: list[Seen], seconds: float, journal: Path = FOLDER / "journal.jsonl") -> str:
    """All of it, in Markdown; ``journal`` is the plugin's."""
    rows = [
        f"| {step.name} | {step.seconds:.0f} | {'FAILED: ' if step.failed else ''}{_cell(step.saw)} |" for step in seen
    ]
    notes = [json.loads(line) for line in journal.read_text().splitlines()]
    return "\n".join(
        [
            HEAD,
            "## What happened",
            "",
            "| step | seconds | saw |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"{seconds:.0f} seconds in all, with all that stands in for AWS started and ended.",
            "",
            "## What was only recorded",
            "",
            LIMITS,
            *_listed(notes, "recorded"),
            "",
            "## What was bypassed",
            "",
            *_listed(notes, "bypassed"),
            "",
            "## What the plugin made, and not the emulator",
            "",
            *_listed(notes, "repaired"),
            "",
        ]
    )


def _listed(notes: list[dict[str, Any]], kind: str) -> list[str]:
    counted = Counter(note["what"] for note in notes if note["kind"] == kind)
    return [f"* `{what}`" if what.startswith("AWS::") and " " not in what else f"* {what}" for what in sorted(counted)]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
