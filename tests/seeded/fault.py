"""A fault, and where it is tried: a copy of the sources, in which the tests that have to notice it are run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
SECONDS = 300
"""For the tests of one fault, on however busy a machine."""
SECONDS_OF_ALL = 1200
"""For those of all faults, one after another."""


@dataclass(frozen=True)
class Fault:
    """A small change of one file, and the tests that have to fail with it."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    """What stands there, exactly once each, and what takes its place."""
    tests: tuple[str, ...]
    """Ids as pytest has them."""

    def put_into(self, source: str) -> str:
        """``source`` with the fault in it.

        Raises:
            ValueError: the source is another by now, so that this is a fault of something that is no more.
        """
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"{self.name}: {self.file} has not once {old!r}")
            source = source.replace(old, new)
        return source


@dataclass(frozen=True)
class Verdict:
    """What became of tests."""

    passed: bool
    """All of them, and at least one."""
    failed: frozenset[str]
    """Names of those that did; a test that could not even begin, or was skipped, is not among them."""
    output: str = field(repr=False)


class Copy:
    """A copy of the sources in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sources"
        self._report = folder / "report.xml"
        self._temporary = folder / "temporary"
        self._times = count(1)
        self._folder.mkdir()
        for name in ("services", "tests", "local", "infra", "environments"):
            shutil.copytree(ROOT / name, self._folder / name, ignore=shutil.ignore_patterns("__snapshots__"))
        shutil.copy(ROOT / "pyproject.toml", self._folder)
        (ROOT / ".tools").mkdir(exist_ok=True)
        (self._folder / ".tools").symlink_to(ROOT / ".tools")

    def suffer(self, fault: Fault) -> Verdict:
        """Run the tests of ``fault`` with it in the sources."""
        file = self._folder / fault.file
        source = file.read_text()
        self._write(file, fault.put_into(source))
        try:
            return self.run(*fault.tests)
        finally:
            self._write(file, source)

    def run(self, *tests: str, seconds: float = SECONDS) -> Verdict:
        """Run ``tests``, until one of them fails."""
        self._report.unlink(missing_ok=True)
        options = ("-q", "-x", "-p", "no:cacheprovider", f"--junitxml={self._report}", f"--basetemp={self._temporary}")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_", "PYTHON"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self._folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
        cases = ET.parse(self._report).iter("testcase") if self._report.exists() else ()  # noqa: S314 - ours
        ended = {str(case.get("name")): {part.tag for part in case} for case in cases}
        failed = frozenset(name for name, parts in ended.items() if "failure" in parts)
        passed = done.returncode == 0 and any("skipped" not in parts for parts in ended.values())
        return Verdict(passed, failed, done.stdout)

    def _write(self, file: Path, source: str) -> None:
        file.write_text(source)
        # What Python has compiled of it is told by the time and the size, which may be those of before.
        time = file.stat().st_mtime + 10 * next(self._times)
        os.utime(file, (time, time))


@contextmanager
def copied() -> Generator[Copy]:
    """A copy until the end of the block."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # servers in it run under an account with fewer rights
        yield Copy(Path(folder))
