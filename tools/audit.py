"""`python -m tools.audit` (`make audit`): whether anything that is locked has a known vulnerability.

Asks OSV (https://osv.dev, which holds PyPA's, GitHub's and others' advisories) about each version that any lock of
Python packages names, and npm's registry about each package-lock.json. What is found fails, unless
`tools/accepted_vulnerabilities.toml` has a row for it; so does whatever could not be asked.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, cast

from infra.assurance.refusal import Refused
from infra.assurance.register import Decision, read_decisions
from tools.locks import Locked, read_lock
from tools.sbom import ROOT, TOOLS, npm

Json = dict[str, Any]

ACCEPTED: Final = Path(__file__).with_name("accepted_vulnerabilities.toml")
OSV: Final = "https://api.osv.dev/v1/query"


class Unanswered(Exception):
    """Somebody could not be asked, or gave no answer that says anything."""


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """A vulnerability of one version of a package."""

    package: str
    version: str
    names: tuple[str, ...]
    """All it goes by, the usual one first."""
    what: str

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.package} {self.version}: {', '.join(self.names)}: {self.what}"


def main(*, osv: str = OSV, npm_registry: str | None = None, accepted: Path = ACCEPTED) -> int:
    """Ask, print what is found and wrong, and return what the process ends with."""
    locks = lock_files()
    rows = [row for lock in locks for row in read_lock(lock)]
    try:
        found = [*of_python(rows, osv), *(one for lock in npm_locks() for one in of_npm(lock.parent, npm_registry))]
        wrong = judged(found, read_decisions(accepted, {"package": str, "vulnerability": str}))
    except (Refused, Unanswered) as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command's answer
        return 2
    print(*wrong, sep="\n", end="\n" if wrong else "")  # noqa: T201  # a command's answer
    asked = len({(row.name, row.version) for row in rows})
    counted = (
        f"{asked} versions of Python packages, {len(npm_locks())} locks of npm: {len(found)} known vulnerabilities"
    )
    print(f"{counted}, {len(wrong)} to answer for")  # noqa: T201  # a command's answer
    return 1 if wrong else 0


def lock_files() -> list[Path]:
    """Every lock of Python packages in the repository."""
    return [file for file in _ours("requirements*.txt") if file.name != "requirements-overrides.txt"]


def npm_locks() -> list[Path]:
    """Every lock of npm packages in it."""
    return _ours("package-lock.json")


def _ours(name: str) -> list[Path]:
    found = (file for depth in ("", "*/", "*/*/") for file in ROOT.glob(depth + name))
    built = (".", "build", "node_modules")
    return sorted(file for file in found if not file.relative_to(ROOT).parts[0].startswith(built))


def of_python(rows: Iterable[Locked], osv: str = OSV) -> Iterator[Finding]:
    """What is known of these versions, wherever they are installed.

    Raises:
        Unanswered: pip-audit failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, layer in enumerate(_layers(rows)):
            file = Path(folder) / f"{number}.txt"
            file.write_text("".join(f"{name}=={version}\n" for name, version in layer.items()), encoding="utf-8")
            yield from _of_file(file, osv)


def _layers(rows: Iterable[Locked]) -> list[dict[str, str]]:
    """Versions by name. One file cannot ask about two versions of a package: each further one is in a further layer."""
    layers: list[dict[str, str]] = []
    for name, version in sorted({(row.name, row.version) for row in rows}):
        layer = next((layer for layer in layers if name not in layer), None)
        if layer is None:
            layers.append(layer := {})
        layer[name] = version
    return layers


def _of_file(file: Path, osv: str) -> Iterator[Finding]:
    command = [
        *(TOOLS / "pip-audit", "--requirement", file, "--no-deps", "--disable-pip", "--strict"),
        *("--vulnerability-service", "osv", "--osv-url", osv),
        *("--format", "json", "--aliases", "on", "--desc", "on", "--progress-spinner", "off"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # ours
    try:
        packages: list[Json] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise Unanswered(f"pip-audit failed:\n{done.stderr}") from error
    for package in packages:
        for known in package["vulns"]:
            names = tuple(dict.fromkeys([known["id"], *known["aliases"]]))
            yield Finding(package["name"], package["version"], names, _first(known["description"]))


def of_npm(folder: Path = ROOT, registry: str | None = None) -> Iterator[Finding]:
    """What npm's registry knows of the package-lock.json of a folder.

    Raises:
        Unanswered: it does not say.
    """
    more = [f"--registry={registry}"] if registry else []
    said = npm("audit", "--json", "--package-lock-only", *more, folder=folder)
    try:
        answer: Json = json.loads(said)
        vulnerable: Mapping[str, Json] = answer["vulnerabilities"]
    except (ValueError, KeyError) as error:
        raise Unanswered(f"npm audit failed:\n{said}") from error
    for name, of_package in vulnerable.items():
        for via in of_package["via"]:
            if isinstance(via, dict):  # else it is the name of a package that it has this from
                advisory = cast("Json", via)
                identifier = str(advisory["url"]).rpartition("/")[2]
                yield Finding(name, str(advisory["range"]), (identifier,), _first(str(advisory["title"])))


def judged(found: Iterable[Finding], rows: Iterable[Decision], *, today: date | None = None) -> list[str]:
    """Lines for what is wrong: findings that no good row accepts, and rows that are not good. `today` is in UTC."""
    day = today or datetime.now(UTC).date()
    left, wrong = sorted(set(found)), list[str]()
    for row in rows:
        faults = list(row.faults(day))
        covered = [one for one in left if _is_for(row, one)]
        if not covered:
            faults.append(f"{row.what['package']} has no {row.what['vulnerability']} any more: take the row out")
        wrong += [f"{row.where}: {fault}" for fault in faults]
        left = left if faults else [one for one in left if one not in covered]
    return [*map(str, left), *wrong]


def _is_for(row: Decision, one: Finding) -> bool:
    return row.what["package"] == one.package and row.what["vulnerability"] in one.names


def _first(text: str) -> str:
    """What it is, in a line."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"  # noqa: PLR2004  # a line


if __name__ == "__main__":
    sys.exit(main())
