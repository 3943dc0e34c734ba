"""Promises about the repository as a whole: its locks, its commands, what must never be committed."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<marker> ;[^\\]*)? \\$", re.MULTILINE)


def tracked() -> list[Path]:
    """Every file that is in git and still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


LOCKS = [path for path in tracked() if path.match("requirements*.txt")]


@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if "overrides" not in lock.name], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_lock_file_pins_every_package_with_hashes_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert [line for line in requirements if not PINNED.match(line)] == []
    assert text.count("--hash=sha256:") >= len(requirements)
    assert "://" not in text


def test_all_lock_files_agree_on_every_version() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        if lock.parent.name in ("checkov", "ministack"):
            continue  # each in an environment of its own, because it pins old versions
        for match in PINNED.finditer(lock.read_text()):
            python = re.search(r"python_full_version [<>=]+ '[^']+'", match["marker"] or "")
            versions.setdefault((match["name"], python[0] if python else ""), set()).add(match["version"])
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_npm_lock_has_integrity_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name and not package.get("link")}
    assert installed
    assert [name for name, package in installed.items() if "integrity" not in package or "resolved" in package] == []


def test_every_make_command_of_the_readme_exists() -> None:
    commands = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named
    assert named - commands == set()


def test_every_relative_link_of_the_prose_leads_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked()
        if page.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", re.sub("`[^`]*`", "", page.read_text()))
        if not (page.parent / target).exists()
    ]
    assert dead == []
