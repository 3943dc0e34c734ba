"""A defect: a change to an assembly that breaks a promise, and what the proof must print about it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from tests.infra.assurance.other_application.assembly import write_bookshop
from tests.infra.assurance.seeded.templates import Templates

Said: TypeAlias = tuple[str, ...]
"""Texts that must stand in one printed line."""

Change: TypeAlias = Callable[[Templates], Said]
"""Changes the templates, and tells what must be said about it."""


class Application(StrEnum):
    """Whose assembly is changed."""

    OURS = "this application"
    BOOKSHOP = "the bookshop"


@dataclass(frozen=True, slots=True)
class Defect:
    """`applications` are those that have what it breaks."""

    name: str
    change: Change
    applications: tuple[Application, ...] = tuple(Application)

    def apply(self, folder: Path) -> Said:
        """Change the assembly in a folder; what must be said about it."""
        templates = Templates(folder)
        said = self.change(templates)
        templates.save()
        return said


def clean(application: Application, ours: Path, folder: Path) -> Path:
    """A copy of an application's assembly to change; `ours` is where this application's is."""
    if application is Application.BOOKSHOP:
        return write_bookshop(folder)
    shutil.copytree(ours, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*", "tree.json"))
    return folder
