"""Which language model the AI core is given: the small one on this machine, or any with an OpenAI-compatible API."""

from dataclasses import dataclass
from pathlib import Path

from local.failure import Failure


@dataclass(frozen=True)
class OtherModel:
    """A model that is served elsewhere."""

    url: str
    """Base address of the API, ending in ``/v1``."""
    name: str
    key_file: Path | None = None
    """Holds the API key, where the model wants one."""
    ca_file: Path | None = None
    """Roots that sign its certificate; the system's where left out."""

    def values(self) -> dict[str, str]:
        """What the ``model.*`` sources of a ``service.toml`` that depend on it are worth.

        Raises:
            Failure: a file cannot be read.
        """
        values = {"model.url": self.url, "model.name": self.name}
        if self.key_file:
            values["model.api_key"] = _read(self.key_file).strip()
        if self.ca_file:
            _read(self.ca_file)
            values["model.ca_file"] = str(self.ca_file.absolute())
        return values


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror}): name another file for the model.") from error
