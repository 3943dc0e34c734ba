"""Runs schemathesis over the served OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

from tests.backend.process import Backend
from tests.fuzz.hooks import CA, URL

_ROOT = Path(__file__).parents[2]
_PATH = [_ROOT, _ROOT / "services" / "backend", _ROOT / "services" / "chassis"]

_SETTINGS = """
[[operations]]
include-path-regex = "/auth/(register|token|password)$"
generation.max-examples = {examples}
"""
"""Hashing passwords is most of the work, so that there are fewer of these."""


def calls(backend: Backend) -> int:
    """How many requests the backend has answered, as it has logged them itself."""
    return backend.log.read_bytes().count(b'"event": "request.done"')


def fuzz(
    backend: Backend, *, examples: int, seed: int | None = None, show: bool = False
) -> subprocess.CompletedProcess[str]:
    """Make every check on every operation and on sequences of them; exit code 0 when all hold.

    Args:
        backend: Whom to fuzz.
        examples: Bound on the cases of an operation and on the sequences.
        seed: Of what is random; without it the same calls come each time.
        show: Print the progress as it comes, instead of keeping it.
    """
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{backend.url}/openapi.json"),
        *("--checks", "all", "--continue-on-failure", "--max-examples", str(examples)),
        *("--tls-verify", str(backend.ca), "--no-color", "--warnings", "off"),
        *(("--generation-deterministic",) if seed is None else ("--seed", str(seed), "--generation-database", "none")),
    ]
    environment = {
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": os.pathsep.join([*map(str, _PATH), os.environ.get("PYTHONPATH", "")]),
        "REQUESTS_CA_BUNDLE": str(backend.ca),
        "PATH": os.environ["PATH"],
        URL: backend.url,
        CA: str(backend.ca),
    }
    folder = backend.certificates.folder
    (folder / "schemathesis.toml").write_text(_SETTINGS.format(examples=examples // 5))
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        check=False,
        text=True,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
    )
