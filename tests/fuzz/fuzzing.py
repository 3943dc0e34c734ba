"""Runs schemathesis over a served OpenAPI document."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import followed, said

URL, CA, KEY_FILE = "FUZZ_URL", "FUZZ_CA", "FUZZ_KEY_FILE"
"""Variables that tell the hooks where the API is, who vouches for it, and what people's keys are wrapped with."""

_ROOT = Path(__file__).parents[2]
_PATH = [_ROOT, _ROOT / "services" / "chassis"]

_SETTINGS = """
phases.stateful.max-steps = {steps}
# What was forgotten is a 410, to the AI core's caller.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 429, "5xx"]

[[operations]]
include-path-regex = "/(auth/(register|token|password)|replies|memories)$"
generation.max-examples = {few}
"""
"""Passwords to hash and words to embed are most of the work, so that there are fewer of these."""
STEPS = 20
"""Calls of a sequence: enough for the longest way through the links, with some that fail."""


@dataclass(frozen=True)
class Api:
    """Whom to fuzz."""

    url: str
    ca: Path
    log: Path
    """Where its process writes."""
    hooks: str
    """The module that tells schemathesis what the document does not say."""
    client: tuple[Path, Path] | None = None
    """Certificate and key to show."""
    key_file: Path | None = None
    """What people's keys are wrapped with, where calls bring them."""

    def calls(self) -> int:
        """How many requests it has answered, as it has logged them itself."""
        return self.log.read_bytes().count(b'"event": "request.done"')


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    passed: bool
    calls: int
    links: Counter[str]
    """How often each link of the document was followed to an answer that is no error."""
    output: str
    """What schemathesis said, unless that was shown."""


def fuzz(
    api: Api, folder: Path, *, examples: int, seed: int | None = None, show: bool = False, sequences_alone: bool = False
) -> Outcome:
    """Make every check on every operation and on sequences of them; what was said is searched for in the logs.

    Args:
        api: Whom to fuzz.
        folder: For files.
        examples: Bound on the cases of an operation and on the sequences.
        seed: Of what is random; without it the same calls come each time.
        show: Print the progress as it comes, instead of keeping it.
        sequences_alone: Leave out single operations.
    """
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"),
        *("--checks", "all", "--continue-on-failure", "--max-examples", str(examples)),
        *("--tls-verify", str(api.ca), "--no-color", "--warnings", "off"),
        *(("--generation-deterministic",) if seed is None else ("--seed", str(seed), "--generation-database", "none")),
    ]
    if sequences_alone:
        command += ["--phases", "stateful"]
    if api.client:
        command += ["--request-cert", str(api.client[0]), "--request-cert-key", str(api.client[1])]
    links, words = folder / "followed.json", folder / "said.json"
    environment = {
        "SCHEMATHESIS_HOOKS": api.hooks,
        "PYTHONPATH": os.pathsep.join([*map(str, _PATH), os.environ.get("PYTHONPATH", "")]),
        "REQUESTS_CA_BUNDLE": str(api.ca),
        "PATH": os.environ["PATH"],
        URL: api.url,
        CA: str(api.ca),
        followed.FILE: str(links),
        said.FILE: str(words),
    }
    if api.key_file:
        environment[KEY_FILE] = str(api.key_file)
    (folder / "schemathesis.toml").write_text(_SETTINGS.format(steps=STEPS, few=examples // 5))
    before = api.calls()
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        check=False,
        text=True,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
    )
    said.read(words)
    return Outcome(done.returncode == 0, api.calls() - before, followed.read(links), done.stdout or "")
