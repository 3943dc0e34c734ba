"""`python -m tools.sbom OUT` (`make sbom`): what each image and the repository's own tools are made of, in CycloneDX.

What is in an image says its lock file, for the Python of its base: `tests/images` compares it with the image. Licences
are those that packages in `.venv` declare, where they are of the same version, as with the images' Python all are. What
the base image brings is not listed: it is named, and Amazon ECR scans it. Reads files and nothing else.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from tools.locks import Locked, installed_on, read_lock

Json = dict[str, Any]

ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ROOT / ".tools" / "dependencies" / "bin"
MACHINES: Final = ("aarch64", "x86_64")
"""Of images and tools; what is installed is the same on both."""
_BASE: Final = re.compile(r"^FROM (?P<name>[^\s:@]+):(?P<tag>[^\s@]+)(?:@(?P<digest>\S+))?(?: AS \S+)?$", re.MULTILINE)
_SPEC: Final = "1.6"


def main(out: Path) -> int:
    """Write all of them, hold them against the schema, and return what the process ends with."""
    files = write(out)
    print(*files, sep="\n")  # noqa: T201  # a command's answer
    return judged(files)


def write(out: Path) -> list[Path]:
    """Write all of them into a folder; their files."""
    out.mkdir(parents=True, exist_ok=True)
    described = _described()
    bills = {
        "python": bill("sanctum", read_lock(ROOT / "requirements-dev.txt"), described, python=_own_python()),
        "npm": _npm(),
        **{f"image-{service.name}": image_bill(service, described) for service in services()},
    }
    for name, content in bills.items():
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        (out / f"{name}.cdx.json").write_text(text, encoding="utf-8")
    return [out / f"{name}.cdx.json" for name in bills]


def services() -> list[Path]:
    """Folders of the services that become images."""
    return sorted(file.parent for file in (ROOT / "services").glob("*/Dockerfile"))


def image_bill(service: Path, described: Mapping[str, Json]) -> Json:
    """What the image of a service is made of: its base, and every package.

    Raises:
        ValueError: its stages stand on several bases, or on one without a tag.
    """
    known = base_of(service / "Dockerfile")
    base = {
        "type": "container",
        "bom-ref": f"{known['name']}:{known['tag']}",
        "name": known["name"],
        "version": known["tag"],
        "purl": known["purl"],
    }
    rows = read_lock(service / "requirements.txt")
    return bill(f"sanctum-{service.name}", rows, described, python=known["tag"].partition("-")[0], base=base)


def base_of(dockerfile: Path) -> dict[str, str]:
    """The image that all its stages stand on: `name`, `tag`, `digest` (empty where it names none) and `purl`.

    Raises:
        ValueError: its stages stand on several bases, or on one without a tag.
    """
    bases = {(m["name"], m["tag"], m["digest"] or "") for m in _BASE.finditer(dockerfile.read_text(encoding="utf-8"))}
    if len(bases) != 1:
        raise ValueError(f"{dockerfile}: the bases are {sorted(map(str, bases))}, and has to be one")
    ((name, tag, digest),) = bases
    purl = f"pkg:docker/{name}@{digest.replace(':', '%3A') or tag}"
    return {"name": name, "tag": tag, "digest": digest, "purl": purl}


def bill(
    name: str, rows: Iterable[Locked], described: Mapping[str, Json], *, python: str, base: Json | None = None
) -> Json:
    """A bill of materials of the rows that are installed with that Python. `described` says more of packages by name.

    Raises:
        ValueError: what is installed depends on the machine.
    """
    chosen, other = (installed_on(rows, python, machine) for machine in MACHINES)
    if chosen != other:
        raise ValueError(f"{name}: what is installed differs between {' and '.join(MACHINES)}")
    refs = {row.name: f"{row.name}=={row.version}" for row in chosen}
    direct = [refs[row.name] for row in chosen if row.direct]
    needs = [
        {"ref": refs[row.name], "dependsOn": sorted(refs[one.name] for one in chosen if row.name in one.wanted_by)}
        for row in chosen
    ]
    if base:
        direct.append(base["bom-ref"])
        needs.append({"ref": base["bom-ref"]})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": _SPEC,
        "version": 1,
        "metadata": {"component": {"type": "container" if base else "application", "bom-ref": name, "name": name}},
        "components": [*([base] if base else []), *(_component(row, described) for row in chosen)],
        "dependencies": [{"ref": name, "dependsOn": sorted(direct)}, *needs],
    }


def _component(row: Locked, described: Mapping[str, Json]) -> Json:
    known = described.get(row.name, {})
    more = {key: known[key] for key in ("description", "licenses") if key in known}
    return {
        "type": "library",
        "bom-ref": f"{row.name}=={row.version}",
        "name": row.name,
        "version": row.version,
        "purl": f"pkg:pypi/{row.name}@{row.version}",
        **(more if known.get("version") == row.version else {}),
    }


def _described() -> dict[str, Json]:
    """What the installed packages say of themselves, by name."""
    command = [TOOLS / "cyclonedx-py", "environment", ROOT / ".venv", "--spec-version", _SPEC, "--no-validate"]
    said: Json = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603  # ours
    return {canonicalize_name(component["name"]): component for component in said["components"]}


def _own_python() -> str:
    """The version that the repository's tools run on."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _npm() -> Json:
    """What package-lock.json pins. The command wants a version of the package whose lock it is."""
    with tempfile.TemporaryDirectory() as folder:
        for file in ("package.json", "package-lock.json"):
            content: Json = json.loads((ROOT / file).read_text(encoding="utf-8"))
            content.get("packages", {"": content})[""]["version"] = "0.0.0"
            (Path(folder) / file).write_text(json.dumps(content), encoding="utf-8")
        said: Json = json.loads(npm("sbom", "--sbom-format=cyclonedx", "--package-lock-only", folder=Path(folder)))
    said.pop("serialNumber")  # the same locks give the same bytes
    said["metadata"].pop("timestamp")
    said["metadata"]["component"]["name"] = "sanctum"
    return said


def npm(*arguments: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What the npm of `.venv` answers, whatever it ends with."""
    command = [ROOT / ".venv" / "bin" / "npm", *arguments]
    said = subprocess.run(  # noqa: S603  # ours
        command, cwd=folder, env={**os.environ, **(environment or {})}, check=False, capture_output=True, text=True
    )
    return said.stdout or said.stderr


def judged(files: Iterable[Path]) -> int:
    """Hold bills against CycloneDX's schema; 0 when all are valid."""
    command = [TOOLS / "python", Path(__file__).with_name("sbom_schema.py"), *files]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # ours


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - its name, and OUT
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
