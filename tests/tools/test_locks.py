"""Lock files are read as pip reads them."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tools.locks import Locked, installed_on, read_lock
from tools.sbom import ROOT

LOCK = """# a comment
one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via
    #   -c requirements-dev.txt
    #   -r services/x/requirements.in
    #   Two.three
two-three==2 ; python_full_version < '3.12' \\
    --hash=sha256:cc
    # via -r services/x/requirements.in
two-three==3 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
four==4 ; platform_machine == 'aarch64' \\
    --hash=sha256:ee
    # via
    #   -c requirements-dev.txt
    #   one
"""


def _read(tmp_path: Path, text: str) -> list[Locked]:
    (tmp_path / "requirements.txt").write_text(text)
    return read_lock(tmp_path / "requirements.txt")


def test_each_row_has_its_version_its_place_and_who_wants_it(tmp_path: Path) -> None:
    assert _read(tmp_path, LOCK) == [
        Locked("one", "1.0", wanted_by=frozenset({"two-three"}), direct=True),
        Locked("two-three", "2", "python_full_version < '3.12'", direct=True),
        Locked("two-three", "3", "python_full_version >= '3.12'"),
        Locked("four", "4", "platform_machine == 'aarch64'", frozenset({"one"})),
    ]


def test_what_is_installed_depends_on_the_place(tmp_path: Path) -> None:
    rows = _read(tmp_path, LOCK)
    assert [(row.name, row.version) for row in installed_on(rows, "3.13", "x86_64")] == [
        ("one", "1.0"),
        ("two-three", "3"),
    ]
    assert [(row.name, row.version) for row in installed_on(rows, "3.11", "aarch64")] == [
        ("one", "1.0"),
        ("two-three", "2"),
        ("four", "4"),
    ]


def test_a_line_that_pins_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pins no package: one>=1"):
        _read(tmp_path, "one>=1 \\\n    --hash=sha256:aa\n")


def test_what_is_read_from_the_lock_is_what_is_installed_here() -> None:
    rows = installed_on(read_lock(ROOT / "requirements-dev.txt"), f"3.{sys.version_info.minor}", platform.machine())
    assert len(rows) > 100
    assert {row.name: row.version for row in rows} == {row.name: version(row.name) for row in rows}
