"""Releases to deploy: copies of the checkout with a change or none, and most with the environment that is rehearsed."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.failure import Failure
from rehearsal import cdk, settings
from rehearsal.places import FOLDER, ROOT


@dataclass(frozen=True)
class Change:
    """What is other in a release: in a file, what stands there once is replaced."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Release:
    """Sources, and what they synthesize to."""

    source: Path
    assembly: Path


def release(name: str, *changes: Change, zone: str | None) -> Release:
    """The checkout's sources with ``changes`` made to them.

    Args:
        name: Of the release.
        changes: What is other in it.
        zone: Id of the hosted zone; ``None`` keeps the environments of the checkout, and its pipeline.

    Raises:
        Failure: what is to be replaced is not there once, or it does not synthesize.
    """
    source = FOLDER / "sources" / name
    shutil.rmtree(source, ignore_errors=True)
    for file in _files():
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, source / file)
    if zone is not None:
        shutil.rmtree(source / "environments")
        (source / "environments").mkdir()
        (source / "environments" / settings.FILE.name).write_text(settings.text(zone))
    for change in changes:
        path = source / change.file
        text = path.read_text()
        if text.count(change.old) != 1:
            raise Failure(f"{change.file} has {text.count(change.old)} of {change.old!r}, and one is to be changed")
        path.write_text(text.replace(change.old, change.new))
    assembly = FOLDER / "assemblies" / name
    shutil.rmtree(assembly, ignore_errors=True)
    return Release(source, cdk.synth(source, assembly))


def _files() -> list[str]:
    """What git would have, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the person's own
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]
