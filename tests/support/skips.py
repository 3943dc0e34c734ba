"""In CI a test that skips has to be on a committed list with the reason: a skip must not pass for a success.

The list names tests by their ids, or several by one with ``*``.
"""

import os
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.objection import fail_the_run

ALLOWED = Path(__file__).parent / "allowed_skips.toml"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each skipped test that is not on the list, and fail the run."""
    if not os.environ.get("CI"):
        return
    allowed = tomllib.loads(ALLOWED.read_text())
    reports: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    skipped = {report.nodeid for report in reports}
    unlisted = sorted(name for name in skipped if not any(fnmatchcase(name, pattern) for pattern in allowed))
    for nodeid in unlisted:
        terminalreporter.write_line(f"SKIPPED BUT NOT LISTED in {ALLOWED.name}: {nodeid}", red=True)
    if unlisted:
        fail_the_run("skipped tests fail CI unless a committed list names them")
