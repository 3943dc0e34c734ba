"""GitHub's REST API (https://docs.github.com/rest), as a job of GitHub Actions calls it: with Python alone."""

import json
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = Any

ROBOT: Final = "github-actions[bot]"
"""Who writes with a job's token."""
TIMEOUT: Final = 30
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository, with the token of the job."""

    api: str
    name: str
    """Owner and name."""
    token: str

    @classmethod
    def of_job(cls) -> "Repository":
        """The one that the job runs in. Its token is handed over in GITHUB_TOKEN."""
        return cls(os.environ["GITHUB_API_URL"], os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])

    def get(self, path: str, **query: str) -> Json:
        """The answer below the repository's address."""
        return json.loads(self._call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path))

    def download(self, path: str, most: int) -> bytes:
        """A file, of which no more than `most` bytes are read."""
        return self._call("GET", path, most=most)

    def send(self, method: str, path: str, content: Json) -> Json:
        """Make or change something."""
        return json.loads(self._call(method, path, json.dumps(content).encode()))

    def _call(self, method: str, path: str, content: bytes | None = None, most: int | None = None) -> bytes:
        request = urllib.request.Request(f"{self.api}/repos/{self.name}/{path}", content, method=method)  # noqa: S310  # from GitHub
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        # Files lie elsewhere, and GitHub says where: the token is not for them.
        request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # from GitHub
            return bytes(answer.read(most))


def event() -> Json:
    """What the job runs for."""
    return json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
