"""The images as they run on Fargate: built from the cloud assembly, and run as the task definitions say.

A container engine stands for Fargate, with its limits of processor and memory.
"""

import asyncio
import json
from collections.abc import Iterator

import numpy as np
import pytest
from ai_core.memory.embedder import Embedder, load_tokenizer

from infra.services import read_services
from tests.images import engine
from tests.images.deployment import SERVICES
from tests.infra.template import Json

MISSING = engine.missing()
pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
    pytest.mark.xdist_group("images"),  # built once
]

MEGABYTES = {"backend": 145, "ai_core": 265}
"""What an image may add to its base, uncompressed."""

START_SECONDS = 2
"""Of a processor that does nothing else."""

USAGE = """
import glob, json, os, statistics, time

code = "class C:\\n def f(self, x: int = 1) -> int:\\n  return [y for y in range(x)]\\n" * 60
slices = []
for _ in range(200):
    began = time.process_time()
    compile(code, "", "exec")
    slices.append(time.process_time() - began)
others = set(glob.glob("/proc/[0-9]*")) - {f"/proc/{os.getpid()}"}
(service,) = [path for path in others if open(path + "/comm").read() == "python\\n"]  # beside its init process
ticks = open(service + "/stat").read().rsplit(")", 1)[1].split()[11:13]
peak = next(line.split()[1] for line in open(service + "/status") if line.startswith("VmHWM"))
print(json.dumps({
    "seconds": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
    "slower": statistics.fmean(slices) / min(slices),
    "megabytes": int(peak) / 1024,
}))
"""
"""What the service has used, and how much slower the machine is than it could be, being shared."""


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    """Each service in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def image(images: dict[str, str], service: str) -> str:
    """Its image."""
    return images[service]


@pytest.fixture(scope="module")
def serving(image: str, service: str, definitions: dict[str, Json], aws: str) -> Iterator[str]:
    """It serves in the smallest environment; its container."""
    definition = definitions[f"sanctum-dev-{service.replace('_', '-')}"]
    health = read_services()[service].health
    with engine.serving(image, definition, aws, within=health.start_seconds) as container:
        yield container


def test_an_image_adds_no_more_to_its_base_than_it_needs(image: str, service: str) -> None:
    sizes = [int(engine.docker("image", "inspect", "--format={{.Size}}", name)) for name in (image, engine.BASE)]
    assert (sizes[0] - sizes[1]) / 1e6 < MEGABYTES[service]


def test_a_service_starts_as_its_smallest_task_within_two_seconds_of_processor_time(
    serving: str, service: str, definitions: dict[str, Json]
) -> None:
    used = json.loads(engine.docker("exec", serving, "python", "-c", USAGE))
    assert 0.2 < used["seconds"] / used["slower"] < START_SECONDS, used
    memory = int(definitions[f"sanctum-dev-{service.replace('_', '-')}"]["Memory"])
    assert used["megabytes"] < 0.6 * memory, used


def test_the_health_check_of_a_task_definition_tells_whether_the_service_serves(
    serving: str, image: str, service: str, definitions: dict[str, Json]
) -> None:
    (container,) = definitions[f"sanctum-prod-{service.replace('_', '-')}"]["ContainerDefinitions"]
    kind, *command = container["HealthCheck"]["Command"]
    assert kind == "CMD"
    engine.docker("exec", serving, *command)
    with pytest.raises(RuntimeError, match="refused"):
        engine.docker("run", "--rm", image, *command)


def test_a_start_compiles_nothing(image: str, service: str) -> None:
    code = f"""
import importlib.machinery as machinery

def refuse(loader, data, path, **_):
    raise AssertionError(f"{{path}} is not compiled")

machinery.SourceFileLoader.source_to_code = refuse
import {service}.app, {service}.__main__, botocore.session
"""
    engine.python(image, code)


def test_every_module_of_a_service_and_its_migrations_can_be_imported(image: str, service: str) -> None:
    code = f"""
import importlib, pkgutil, chassis, {service}
from alembic.config import Config
from alembic.script import ScriptDirectory

for package in (chassis, {service}):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith((".__main__", ".migrations.env")):
            importlib.import_module(module.name)
config = Config()
config.set_main_option("script_location", {service}.__path__[0] + "/migrations")
assert list(ScriptDirectory.from_config(config).walk_revisions())
"""
    engine.python(image, code)


def test_every_aws_client_that_a_service_makes_has_its_description(image: str, service: str) -> None:
    own = {
        "backend": "from backend.keys.exports_bucket import BucketOfExports as B; B('arn:aws:s3:::x', replicated=True)"
    }
    code = f"""
import inspect, botocore.config
from chassis import aws

{own.get(service, "")}
made = [name for name, f in inspect.getmembers(aws, inspect.isfunction) if name not in ("region", "_client")]
for name in made:
    make = getattr(aws, name)
    make(*[botocore.config.Config()] * len(inspect.signature(make).parameters))
print(*made)
"""
    assert "secrets_manager" in engine.python(image, code, "--env=AWS_REGION=us-east-1").split()


def test_an_image_embeds_a_text_as_one_machine_does(images: dict[str, str]) -> None:
    text = "I would like to lead a team, but nobody asks me."
    code = f"""
import asyncio, json
from ai_core.memory.embedder import Embedder, load_tokenizer

(vector,) = asyncio.run(Embedder(load_tokenizer()).embed([{text!r}]))
print(json.dumps(vector.tolist()))
"""
    theirs = np.array(json.loads(engine.python(images["ai_core"], code)))
    embedder = Embedder(load_tokenizer())
    try:
        (ours,) = asyncio.run(embedder.embed([text]))
    finally:
        embedder.close()
    assert theirs @ ours > 0.9999


def test_a_task_can_write_to_tmp_and_nowhere_else(image: str, service: str, definitions: dict[str, Json]) -> None:
    definition = definitions[f"sanctum-prod-{service.replace('_', '-')}"]
    code = """
import os, tempfile

with tempfile.TemporaryFile() as file:
    file.write(b"x")
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = set(folders) - {"dev", "proc", "sys"}  # the engine's
    for path in (folder, *(os.path.join(folder, file) for file in files)):
        if os.access(path, os.W_OK, follow_symlinks=False if os.path.islink(path) else True):
            print(path)
"""
    options = engine.task_options(image, definition)
    assert engine.python(image, code, *options).split() == ["/tmp"]  # noqa: S108
    assert engine.python(image, code, "--read-only=false").split() != []


def test_a_user_of_the_image_can_read_the_programs_and_change_none(image: str) -> None:
    code = """
import os

for top in ("/srv", "/venv", "/usr"):
    for folder, _, files in os.walk(top):
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            if os.path.exists(path):
                assert os.access(path, os.R_OK), path
                assert not os.access(path, os.W_OK), path
"""
    engine.python(image, code)


def test_an_image_holds_nothing_that_builds_or_installs(image: str) -> None:
    code = """
import importlib.util, shutil

print([name for name in ("pip", "pip3", "cc", "gcc", "make", "git", "curl") if shutil.which(name)])
print([name for name in ("pip", "ensurepip", "setuptools") if importlib.util.find_spec(name)])
"""
    assert engine.python(image, code).split("\n") == ["[]", "[]"]


def test_an_image_says_nothing_of_where_it_was_built(image: str) -> None:
    """An address of a package index may hold a password."""
    said = engine.docker("image", "inspect", image) + engine.docker("history", "--no-trunc", image)
    assert [word for word in ("index-url", "INDEX_URL", "PIP_", "PROXY", "://") if word in said] == []
    code = "import glob; print(glob.glob('/etc/pip.conf') + glob.glob('/venv/pip.conf') + glob.glob('/srv/**/*.toml'))"
    assert engine.python(image, code) == "[]"
