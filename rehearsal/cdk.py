"""The real ``cdk``, told to find the emulator instead of AWS."""

import hashlib
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.guards.accounts import GuardedAccount
from local.failure import Failure
from rehearsal.emulator import NODE, aws
from rehearsal.engine import ENVIRONMENT
from rehearsal.places import LOGS, ROOT
from rehearsal.processes import end_of
from rehearsal.settings import STAGE


def synth(source: Path, out: Path) -> Path:
    """Write the templates of the sources in ``source`` to ``out``.

    Raises:
        Failure: it does not synthesize.
    """
    arguments = ("synth", "**", "--quiet", "--no-validation", "--output", str(out))
    _run(f"synth-{out.name}", *arguments, source=source)
    return out


def bootstrap(assembly: Path, account: GuardedAccount) -> None:
    """The account's guards, and then CDK's own resources, as ``make bootstrap`` does.

    Raises:
        Failure: it fails.
    """
    deploy(assembly, account.stack, name=f"guards-{account.id}", account=account.id)
    _run(f"bootstrap-{account.id}", "bootstrap", "--app", str(assembly), *account.bootstrap, account=account.id)


def deploy(assembly: Path, stacks: str = f"{STAGE}/*", *, name: str, only: bool = False, account: str = "") -> str:
    """Deploy ``stacks``; what the command said.

    Args:
        assembly: What was synthesized; deployed as it is.
        stacks: As ``cdk`` calls them.
        name: Of the log.
        only: Not those that they depend on.
        account: Whose they are, by its id; the environment's, unless another is said.

    Raises:
        Failure: it fails, or the assembly has other bytes afterwards.
    """
    more = ["--exclusively"] if only else []
    with _unchanged(assembly):
        return _run(
            name,
            *("deploy", stacks, "--app", str(assembly), "--require-approval", "never", "--progress", "events", *more),
            account=account,
        )


def run(command: str, assembly: Path, *, name: str, account: str) -> str:
    """Have a build's own ``command`` deploy ``assembly``, in its folder; what it said.

    Raises:
        Failure: as ``deploy``.
    """
    with _unchanged(assembly):
        return _logged(name, ["/bin/sh", "-c", command], folder=assembly, account=account)


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


@contextmanager
def _unchanged(assembly: Path) -> Generator[None]:
    before = _bytes(assembly)
    try:
        yield
    finally:
        if _bytes(assembly) != before:
            raise Failure(f"{assembly} was changed while it was deployed")


def _bytes(assembly: Path) -> dict[str, str]:
    return {
        str(path.relative_to(assembly)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(assembly.rglob("*.template.json"))
    }


def _run(name: str, *arguments: str, source: Path = ROOT, account: str = "") -> str:
    return _run_node(name, "aws-cdk/bin/cdk", "--no-notices", *arguments, source=source, account=account)


def _run_node(name: str, program: str, *arguments: str, source: Path = ROOT, account: str = "") -> str:
    command = [str(NODE / "node"), str(ROOT / "node_modules" / program), *arguments]
    return _logged(name, command, folder=source, account=account)


def _logged(name: str, command: list[str], *, folder: Path, account: str) -> str:
    log = LOGS / f"{name}.log"
    told: Mapping[str, str] = aws(account) | ENVIRONMENT
    commands = (NODE, ROOT / "node_modules" / ".bin", ROOT / ".venv" / "bin", os.environ["PATH"])
    variables = (
        os.environ
        | told
        | {
            "PATH": ":".join(map(str, commands)),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / "build" / "jsii"),
            "CI": "1",
        }
    )
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # every synth would be two and a half times slower
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    if done.returncode:
        raise Failure(f"{name} failed ({log}):\n{end_of(log)}")
    return log.read_text()
