"""Builds images and runs tasks on a container engine, as the deployment does on Fargate."""

import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.infra.template import Json

BASE = "python:3.13-slim-bookworm"
PORT = 8443
AWS_PORT = 8000

STAND_INS = {
    "AI_CORE_URL": "https://ai-core.invalid",
    "DATABASE_ADMIN_SECRET": "arn:aws:secretsmanager:us-east-1:111122223333:secret:admin",
    "DATABASE_HOST": "database.invalid",
    "KEY_SERVICE": "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000",
    "MEMORY_URL": "https://memory.invalid",
    "SIGNING_KEYS": "arn:aws:secretsmanager:us-east-1:111122223333:secret:keys",
}
"""Variables whose value only a deployment knows."""

AWS_VARIABLES = {
    "AWS_REGION": "us-east-1",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{AWS_PORT}/credentials",
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{AWS_PORT}",
}
"""What Fargate adds to a task's environment, and where AWS answers."""


def docker(*arguments: str) -> str:
    """What the command says.

    Raises:
        RuntimeError: it failed; has its errors.
    """
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def missing() -> str | None:
    """Why no image can be built here; nothing where one can."""
    if not shutil.which("docker"):
        return "needs docker"
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        return "needs a running docker engine"
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode:
        return f"needs the base image: docker pull {BASE}"
    return None


def build(context: Path, service: str) -> str:
    """Build the image of ``service`` from a build context; its name."""
    name = f"sanctum-tests/{service}"
    docker("build", "--quiet", "--file", str(context / service / "Dockerfile"), "--tag", name, str(context))
    return name


@contextmanager
def running(*options: str) -> Generator[str]:
    """A container with the given ``docker run`` options; its id."""
    container = docker("run", "--detach", *options)
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container)


def task_options(image: str, definition: Json) -> list[str]:
    """An ECS task definition of one container as ``docker run`` options, without image and command."""
    (container,) = definition["ContainerDefinitions"]
    declared: Json = json.loads(docker("image", "inspect", "--format={{json .Config.Volumes}}", image)) or {}
    paths = [mount["ContainerPath"] for mount in container["MountPoints"]]
    linux = container["LinuxParameters"]
    environment = {
        entry["Name"]: entry["Value"] if isinstance(entry["Value"], str) else STAND_INS[entry["Name"]]
        for entry in container["Environment"]
    }
    return [
        f"--cpus={int(definition['Cpu']) / 1024}",
        f"--memory={definition['Memory']}m",
        f"--memory-swap={definition['Memory']}m",
        f"--user={container['User']}",
        f"--read-only={container['ReadonlyRootFilesystem']}".lower(),
        f"--init={linux['InitProcessEnabled']}".lower(),
        *(f"--cap-drop={capability}" for capability in linux["Capabilities"]["Drop"]),
        # Fargate gives a volume the owner and mode of its folder in the image where the image declares it, else root's.
        *(f"--mount=type=volume,target={path}" + ("" if path in declared else ",volume-nocopy") for path in paths),
        *(f"--env={name}={value}" for name, value in (environment | AWS_VARIABLES).items()),
    ]


def run_task(image: str, definition: Json, aws: str) -> str:
    """Run a one-off task beside ``aws`` to its end; what it has written.

    Raises:
        RuntimeError: it failed.
    """
    command = definition["ContainerDefinitions"][0]["Command"]
    return docker("run", "--rm", *task_options(image, definition), f"--network=container:{aws}", image, *command)


def python(image: str, code: str, *options: str) -> str:
    """What a program writes that the image's Python runs, with every warning an error."""
    return docker("run", "--rm", *options, image, "python", "-W", "error", "-c", code)


@contextmanager
def serving(image: str, definition: Json, aws: str, *, within: float) -> Generator[str]:
    """The service of a task definition, which answers; beside ``aws``, as two containers of one task are. Its id.

    Raises:
        TimeoutError: it has not answered ``within`` seconds; has its log.
    """
    published = re.search(r":(\d+)$", docker("port", aws, str(PORT)), re.MULTILINE)
    assert published
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE  # it made its certificate itself, as behind a load balancer
    with (
        running(*task_options(image, definition), f"--network=container:{aws}", image) as container,
        httpx.Client(base_url=f"https://127.0.0.1:{published[1]}", verify=tls, timeout=1) as client,
    ):
        deadline = time.monotonic() + within
        while not _answers(client):
            if time.monotonic() > deadline:
                raise TimeoutError(docker("logs", container))
            time.sleep(0.02)
        yield container


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
