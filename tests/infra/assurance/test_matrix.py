"""The matrix says that a tool sees a defect only if it reports what it does not report of the clean templates."""

from collections.abc import Sequence
from pathlib import Path

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.rules import Finding
from tests.infra.assurance.assembly import write
from tests.infra.assurance.matrix import Planted, as_markdown, seen


def planted(folder: Path) -> list[Planted]:
    """Two defects in the same template: one says `wrong`, one changes nothing that a tool knows."""
    (clean,) = read_assembly(write(folder / "clean", {"a": {"Resources": {"Usual": {"Type": "A::B::C"}}}}))

    def changed(name: str) -> Stack:
        body = {"Resources": {"Usual": {"Type": "A::B::C"}, name: {"Type": "A::B::C"}}}
        return clean._replace(template=body, file=folder / name / "a.json")

    return [
        Planted("first", (changed("Wrong"),), (clean,), told=True),
        Planted("second", (changed("Quiet"),), (clean,), told=False),
    ]


def judge(stacks: Sequence[Stack]) -> list[Finding]:
    """Something is always wrong with the usual resource."""
    return [
        Finding(f"tool::{name}", name, "", stack.where)
        for stack in stacks
        for name in stack.template["Resources"]
        if name != "Quiet"
    ]


def test_only_what_is_new_counts(tmp_path: Path) -> None:
    assert seen(planted(tmp_path), judge) == {"first": ["Wrong"], "second": []}


def test_each_column_is_counted(tmp_path: Path) -> None:
    page = as_markdown(planted(tmp_path), {"tool": {"first": ["A", "B", "C"], "second": []}})
    assert page.splitlines()[2:] == ["| first | told | `A`, `B` and 1 more |", "| second | – | – |", "| of 2 | 1 | 1 |"]
