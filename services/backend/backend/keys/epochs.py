"""Where epoch keys are: 32 random bytes each, in no backup, so that all that was wrapped with one dies with it.

On one machine each is a file of a folder; in the cloud each is a secret of its own in AWS Secrets Manager, because one
version of a secret cannot be deleted. Calls may take as long as the network does, so not in an event loop.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from chassis.sealing.cells import KEY_BYTES


class EpochGone(LookupError):
    """There is no key of this epoch: it was destroyed, or never made."""


class EpochKeysUnavailable(ConnectionError):
    """The store of epoch keys does not answer, or does not let this process at them, or does not come to an end."""


class EpochKeys(Protocol):
    """A store of epoch keys. Every call may raise ``EpochKeysUnavailable``."""

    def create(self, epoch: int) -> None:
        """Make the key of ``epoch``, unless there is one; returns when every recovery region has it too."""
        ...

    def read(self, epoch: int) -> bytes:
        """The key of ``epoch``, ``KEY_BYTES`` bytes.

        Raises:
            EpochGone: there is none.
        """
        ...

    def destroy(self, epoch: int) -> None:
        """Make an end of the key of ``epoch``, if there is one; returns when nobody can read it any more."""
        ...


def epoch_keys(location: str, *, secrets_key: str | None = None, recovery_regions: Sequence[str] = ()) -> EpochKeys:
    """The epoch keys at ``location``.

    Args:
        location: The absolute path of a folder, or ``arn:…:secret:<prefix>``: the secrets ``<prefix>/<epoch>``.
        secrets_key: ARN of the KMS key of new secrets, or of its alias; of the same name in each recovery region, as a
            multi-Region key's replicas are.
        recovery_regions: Where new secrets are replicated to.
    """
    if not location.startswith("arn:"):
        return FolderOfEpochKeys(Path(location))
    from backend.keys.epoch_secrets import EpochSecrets  # noqa: PLC0415 - one machine has no AWS

    return EpochSecrets(location, secrets_key, recovery_regions)


class FolderOfEpochKeys:
    """A folder that only this account can read; whatever backs the machine up has to leave it out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, epoch: int) -> None:
        """See ``EpochKeys``."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix="new-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, self._path(epoch))  # whole or not at all, and never in the place of another
        except FileExistsError:
            pass
        finally:
            Path(temporary).unlink()
            self._settle_folder()

    def read(self, epoch: int) -> bytes:
        """See ``EpochKeys``."""
        try:
            return self._path(epoch).read_bytes()
        except FileNotFoundError:
            # A folder that is not there is a disk that is not there: no key was destroyed by that.
            if not self._folder.is_dir():
                raise EpochKeysUnavailable(f"there is no folder {self._folder}") from None
            raise EpochGone(f"there is no key of epoch {epoch}") from None
        except OSError as error:
            raise EpochKeysUnavailable(f"the key of epoch {epoch} cannot be read") from error

    def destroy(self, epoch: int) -> None:
        """See ``EpochKeys``. What a disk keeps of what was overwritten is the disk's; most SSDs keep it for a while."""
        try:
            with self._path(epoch).open("r+b") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            self._path(epoch).unlink()
        except FileNotFoundError:
            pass
        self._settle_folder()

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{epoch:08d}.key"

    def _settle_folder(self) -> None:
        """Have the names in it survive a loss of power, too."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
