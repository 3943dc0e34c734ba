"""What the lock files pin (`requirements.txt`, written by tools/uv/lock.sh)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.utils import canonicalize_name

_ROW: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?(?: \\)?")
_VIA: Final = re.compile(r"    #(?: via)?\s+(?:(?P<file>-[rc]) )?(?P<name>\S+)")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package in one version."""

    name: str
    """As PyPI compares names."""
    version: str
    marker: str = ""
    """Where it is installed; nothing: everywhere."""
    wanted_by: frozenset[str] = frozenset()
    """Packages that need it."""
    direct: bool = False
    """Whether a `requirements.in` names it."""


def read_lock(file: Path) -> list[Locked]:
    """Every row of a lock file.

    Raises:
        ValueError: a line pins nothing.
    """
    rows: list[Locked] = []
    for line, comments in _rows(file.read_text(encoding="utf-8").splitlines()):
        row = _ROW.fullmatch(line)
        if row is None:
            raise ValueError(f"{file}: this pins no package: {line}")
        via = [found for comment in comments if (found := _VIA.fullmatch(comment)) and found["name"] != "via"]
        rows.append(
            Locked(
                name=canonicalize_name(row["name"]),
                version=row["version"],
                marker=row["marker"] or "",
                wanted_by=frozenset(canonicalize_name(found["name"]) for found in via if not found["file"]),
                direct=any(found["file"] == "-r" for found in via),
            )
        )
    return rows


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each row with the comments below it."""
    row, comments = "", list[str]()
    for line in lines:
        if line.startswith("    #"):
            comments.append(line)
        elif line and not line.startswith((" ", "#")):
            if row:
                yield row, comments
            row, comments = line, []
    if row:
        yield row, comments


def installed_on(rows: Iterable[Locked], python: str, machine: str) -> list[Locked]:
    """Those that are installed on Linux by CPython `python` (3.13) on a `machine` (aarch64)."""
    place = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    return [row for row in rows if not row.marker or Marker(row.marker).evaluate(place)]
