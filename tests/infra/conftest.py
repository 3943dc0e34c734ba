"""One synth for all tests: kept between runs until something that goes into it changes."""

import fcntl
import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.infra.synth import ROOT, run_closed, synthesize
from tests.infra.template import Template, read_application, read_assembly

INPUTS = (
    "app.py",
    "cdk.json",
    "package.json",
    "package-lock.json",
    "requirements.txt",
    "environments",
    "infra",
    "services",
)

HERE = Path(__file__).parent
EVERYTHING = os.environ.get("EXAMPLES") == "all"
ONLY_READS = ROOT / "infra" / "assurance"
"""Judges what a synth writes; what it is has no part in it."""
KEPT = 4
"""Assemblies of other inputs that stay."""


def remove_stale(cache: Path, names: str) -> None:
    """All but the newest, which another run may still read."""
    for stale in sorted(cache.glob(names), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(stale)


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for top in (*INPUTS, "tools/synth.py"):
        for path in sorted([ROOT / top, *(ROOT / top).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts and ONLY_READS not in path.parents:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of the working tree."""
    measured = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    # Lines are counted where they run, so a measured run makes its own; the workers of one run share it.
    cache = tmp_path_factory.getbasetemp().parent if measured else ROOT / "build" / "tests"
    cache.mkdir(parents=True, exist_ok=True)
    out = cache / f"cdk.out-{_digest()}"
    with (cache / "cdk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "manifest.json").exists():
            unfinished = cache / "cdk.out-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            remove_stale(cache, "cdk.out-*")
            synth = synthesize(ROOT, unfinished, measured)
            assert synth.returncode == 0, synth.stderr
            unfinished.rename(out)
    return out


@pytest.fixture(scope="session")
def variants(assembly: Path) -> Path:
    """Other environments, each in a folder by its number, and constructs alone: kept likewise."""
    sources = [HERE / "variants.py", HERE / "settings_strategy.py", *sorted((HERE / "alone").glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    out = assembly.parent / f"variants-{assembly.name.removeprefix('cdk.out-')}-{digest}{'-all' if EVERYTHING else ''}"
    with (assembly.parent / "variants.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            unfinished = out.with_name("variants-unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            remove_stale(assembly.parent, "variants-*-*")
            made = run_closed(
                [sys.executable, "-O", "-m", "tests.infra.variants", unfinished, *(["all"] if EVERYTHING else [])]
            )
            assert made.returncode == 0, made.stderr
            unfinished.rename(out)
    return out


@pytest.fixture(scope="session")
def alone(variants: Path) -> Path:
    """What `tests.infra.alone` makes: an assembly by the name of each file."""
    return variants / "alone"


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[tuple[str, str], Template]:
    """Every template, by environment and stack."""
    return read_assembly(assembly)


@pytest.fixture(scope="session")
def application(assembly: Path) -> dict[str, Template]:
    """Every template that belongs to no environment, by stack."""
    return read_application(assembly)


@pytest.fixture(params=["dev", "staging", "prod"])
def environment(request: pytest.FixtureRequest) -> str:
    """Each environment in turn."""
    return str(request.param)


@pytest.fixture
def network(templates: dict[tuple[str, str], Template], environment: str) -> Template:
    """The environment's Network stack."""
    return templates[environment, "Network"]


@pytest.fixture
def data(templates: dict[tuple[str, str], Template], environment: str) -> Template:
    """The environment's Data stack."""
    return templates[environment, "Data"]


@pytest.fixture
def compute(templates: dict[tuple[str, str], Template], environment: str) -> Template:
    """The environment's Compute stack."""
    return templates[environment, "Compute"]


@pytest.fixture
def stacks(network: Template, data: Template, compute: Template) -> tuple[Template, ...]:
    """The stacks of the environment that hold its network, its data and its services."""
    return network, data, compute
