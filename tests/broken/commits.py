"""Commits that must not get on: one for each command of the builds that every commit has to pass first, and one that
passes these.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from rehearsal.pipeline import SHORTER

PASSED = "nothing"
"""What stops a commit that none of these commands refuses."""


@dataclass(frozen=True)
class Commit:
    """A change of one file that a command refuses, and none before it."""

    subject: str
    stopped_by: str
    """The goal of ``make`` that refuses it."""
    file: str
    pattern: str
    """What stands there once; a regular expression."""
    new: str
    tests: tuple[str, ...]
    """Those that look at the file: the others would take half an hour to say nothing of it."""
    derived: str = ""
    """The command that writes what follows from the file."""

    def applied(self, text: str) -> str:
        """``text`` of the file with the change in it.

        Raises:
            ValueError: what is to be changed is not there once.
        """
        changed, times = re.subn(self.pattern, self.new, text)
        if times != 1:
            raise ValueError(f"{self.subject}: {self.file} has {times} of {self.pattern!r}, and one is to be changed")
        return changed

    def make(self, checkout: Path) -> None:
        """Apply it to the files in ``checkout``."""
        path = checkout / self.file
        path.write_text(self.applied(path.read_text()))


COMMITS = (
    Commit(
        "Settings are taken for a number",
        "check",
        "services/backend/backend/__main__.py",
        r"settings = read_settings",
        "settings: int = read_settings",
        ("tests/backend/test_settings.py",),
    ),
    Commit(
        "Words are sealed for nobody in particular",
        "test",
        "services/chassis/chassis/sealing/cells.py",
        r"joined\(FORMAT, user\) \+ _field_name",
        "joined(FORMAT, user[:0]) + _field_name",
        ("tests/chassis/sealing/test_cells.py",),
    ),
    Commit(
        "A finding is accepted beyond its day",
        "evidence",
        "infra/acknowledgements.toml",
        r"(is its only way in\.\"\nowner = \"security\"\nexpires = )\S+",
        r"\g<1>2026-01-01",
        ("tests/infra/guards",),
    ),
    # Only AWS knows which names are taken. It is stopped as the pipeline updates itself (`make rehearse`).
    Commit(
        "The pipeline's buckets get a name that somebody has",
        PASSED,
        SHORTER.file,
        re.escape(SHORTER.old),
        SHORTER.new,
        ("tests/infra/delivery", "tests/infra/test_snapshots.py"),
        # The acceptance of what the pipeline may do with the bucket names it, too.
        derived="sed -i 's/-pipeline-{account}-/-pipeline-/' infra/acknowledgements.toml && make snapshots",
    ),
)
