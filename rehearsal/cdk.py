"""The real ``cdk``, told to find the emulator instead of AWS."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.failure import Failure
from rehearsal.emulator import NODE, aws
from rehearsal.engine import ENVIRONMENT
from rehearsal.places import LOGS, ROOT
from rehearsal.processes import end_of
from rehearsal.settings import STAGE, account


def synth(source: Path, out: Path) -> Path:
    """Write the templates of the sources in ``source`` to ``out``.

    Raises:
        Failure: it does not synthesize.
    """
    arguments = ("synth", "**", "--quiet", "--no-validation", "--output", str(out))
    _run(f"synth-{out.name}", *arguments, source=source)
    return out


def bootstrap(assembly: Path) -> None:
    """The account's guards, and then CDK's own resources, as ``make bootstrap`` does.

    Raises:
        Failure: it fails.
    """
    deploy(assembly, account().stack, name="guards")
    _run("bootstrap", "bootstrap", "--app", str(assembly), *account().bootstrap)


def deploy(assembly: Path, stacks: str = f"{STAGE}/*", *, name: str, only: bool = False) -> str:
    """Deploy ``stacks``; what the command said.

    Args:
        assembly: What was synthesized; deployed as it is.
        stacks: As ``cdk`` calls them.
        name: Of the log.
        only: Not those that they depend on.

    Raises:
        Failure: it fails, or the assembly has other bytes afterwards.
    """
    before = _bytes(assembly)
    more = ["--exclusively"] if only else []
    try:
        return _run(
            name,
            *("deploy", stacks, "--app", str(assembly), "--require-approval", "never", "--progress", "events", *more),
        )
    finally:
        if _bytes(assembly) != before:
            raise Failure(f"{assembly} was changed while it was deployed")


def publish(assembly: Path, stack: str) -> None:
    """Build and push what a stack needs, as the pipeline's build of images does.

    Raises:
        Failure: it fails.
    """
    (listed,) = assembly.glob(f"assembly-*/*{stack}*.assets.json")
    _run_node("publish", "cdk-assets/bin/cdk-assets", "--path", str(listed), "--verbose", "publish")


def destroy(assembly: Path) -> None:
    """Delete all stacks of the environment.

    Raises:
        Failure: it fails.
    """
    _run("destroy", "destroy", f"{STAGE}/*", "--force", "--app", str(assembly))


def _bytes(assembly: Path) -> dict[str, str]:
    return {
        str(path.relative_to(assembly)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(assembly.rglob("*.template.json"))
    }


def _run(name: str, *arguments: str, source: Path = ROOT) -> str:
    return _run_node(name, "aws-cdk/bin/cdk", "--no-notices", *arguments, source=source)


def _run_node(name: str, program: str, *arguments: str, source: Path = ROOT) -> str:
    log = LOGS / f"{name}.log"
    told: Mapping[str, str] = aws() | ENVIRONMENT
    variables = (
        os.environ
        | told
        | {
            "PATH": f"{NODE}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / "build" / "jsii"),
            "CI": "1",
        }
    )
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # every synth would be two and a half times slower
    command = [NODE / "node", ROOT / "node_modules" / program, *arguments]
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=source, env=variables, stdout=output, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    if done.returncode:
        raise Failure(f"{name} failed ({log}):\n{end_of(log)}")
    return log.read_text()
