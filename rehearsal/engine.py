"""The container engine: found or started, with the base of the images and a network that AWS SDKs take for ECS's."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from local.failure import Failure
from rehearsal.places import FOLDER, GATEWAY, LABEL, NETWORK, ROOT, SUBNET
from rehearsal.processes import running

BASE = "python:3.13-slim-bookworm"
ENVIRONMENT = {"DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(FOLDER / "docker")}
"""The classic builder, which takes a base image that is only here; and a place for log-ins that is gone afterwards."""


def docker(*arguments: str) -> str:
    """What the command says.

    Raises:
        Failure: it failed; has its errors.
    """
    done = subprocess.run(  # noqa: S603 - our own command line
        ["docker", *arguments],  # noqa: S607 - the person's own
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failure(f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


@contextmanager
def engine() -> Generator[None]:
    """An engine that answers; one that was started here ends with the block.

    Raises:
        Failure: there is none, and none can be started.
    """
    if not shutil.which("docker"):
        raise Failure("There is no docker: install it (on Debian and Ubuntu: apt-get install docker.io).")
    if answers(0):
        yield
        return
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        raise Failure("No container engine answers: start it, or call this as root so that it can.")
    with running("dockerd", ("dockerd",), os.environ, answers):
        yield


def answers(_pid: int) -> bool:
    """Whether the engine does."""
    return not subprocess.run(["docker", "version"], capture_output=True, check=False).returncode  # noqa: S607


def need_base() -> None:
    """The base of the images: as it is, pulled, or built of this machine's Debian and a Python that is named.

    Raises:
        Failure: no registry gives it, and no Python is named.
    """
    if docker("images", "--quiet", BASE):
        return
    try:
        docker("pull", BASE)
    except Failure as error:
        prefix = os.environ.get("PYTHON_PREFIX")
        if not prefix:
            raise Failure(
                f"{error}\nWhere no registry answers, name a CPython 3.13 that was built on Debian 12 (it takes root "
                "and debootstrap): make rehearse PYTHON_PREFIX=/path/to/it"
            ) from error
        script = ROOT / "tools" / "images" / "base_image.sh"
        subprocess.run(["sh", script, prefix], check=True, capture_output=True)  # noqa: S603, S607 - our own


@contextmanager
def network() -> Generator[None]:
    """The tasks' network; everything of a rehearsal in the engine is removed before and after."""
    _remove_all()
    docker("network", "create", "--label", LABEL, "--subnet", SUBNET, "--gateway", GATEWAY, NETWORK)
    try:
        yield
    finally:
        _remove_all()


def running_containers() -> int:
    """How many of a rehearsal's run."""
    return len(docker("ps", "--quiet", "--filter", f"label={LABEL}").split())


def _remove_all() -> None:
    if containers := docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split():
        docker("rm", "--force", "--volumes", *containers)
    if networks := docker("network", "ls", "--quiet", "--filter", f"label={LABEL}").split():
        docker("network", "rm", *networks)
