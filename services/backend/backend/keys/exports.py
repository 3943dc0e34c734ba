"""Where exports of keys go: a folder on one machine, a bucket of Amazon S3 in the cloud.

Calls may take as long as the network does, so not in an event loop.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

KEPT = 3
"""Exports that a folder keeps; a bucket's lifecycle keeps those of some weeks."""


class ExportFailed(Exception):
    """An export could not be written, read, or brought to where it has to be. Nothing may be destroyed then."""


class Exports(Protocol):
    """A store of exports, each under its name. Every call may raise ``ExportFailed``."""

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Keep ``parts`` one after another: as a whole, or not at all."""
        ...

    def read(self, name: str) -> BinaryIO:
        """What is kept, read from where it is kept; to be closed."""
        ...

    def settle(self, name: str) -> None:
        """Return when every recovery region has it too."""
        ...

    def names(self) -> list[str]:
        """All that there are, the oldest first: names say when they were made."""
        ...

    def thin_out(self) -> None:
        """Remove the oldest, where nothing else does."""
        ...


def exports_at(location: str, *, replicated: bool) -> Exports:
    """The exports at ``location``.

    Args:
        location: The absolute path of a folder, or the ARN of an S3 bucket.
        replicated: Whether S3 has to have copied an export to the recovery regions.
    """
    if not location.startswith("arn:"):
        return FolderOfExports(Path(location))
    from backend.keys.exports_bucket import BucketOfExports  # noqa: PLC0415 - one machine has no AWS

    return BucketOfExports(location, replicated=replicated)


class FolderOfExports:
    """A folder that only this account can read. It belongs on another disk than the database, and into backups."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """See ``Exports``."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._folder / "unfinished"
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, name: str) -> BinaryIO:
        """See ``Exports``."""
        try:
            return (self._folder / name).open("rb")
        except OSError as error:
            raise ExportFailed(f"the export {name} cannot be read") from error

    def settle(self, name: str) -> None:
        """See ``Exports``; there is one machine."""

    def names(self) -> list[str]:
        """See ``Exports``."""
        return sorted(path.name for path in self._folder.glob("keys-*")) if self._folder.is_dir() else []

    def thin_out(self) -> None:
        """See ``Exports``."""
        for name in self.names()[:-KEPT]:
            (self._folder / name).unlink()
