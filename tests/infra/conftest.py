"""Syntheses for all tests, each kept between runs until something that goes into it changes.

Most tests read one that is made without the command and its judgement. Those that need another one are marked ``again``
and left to ``make test``: what a construct is changed for is seen after a single synthesis.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
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
CACHE = ROOT / "build" / "tests"
EVERYTHING = os.environ.get("EXAMPLES") == "all"
JUDGED = EVERYTHING or bool(os.environ.get("CI"))
"""Whether variants are judged by the library's validation as well, which takes as long as making them."""
ONLY_READ = tuple(ROOT / "infra" / name for name in ("assurance", "costs", "preflight", "reference"))
"""They judge what a synth writes, or the settings; what it is has no part in them."""
OF_ANOTHER_SYNTHESIS = {"judged", "variants"}
"""Fixtures."""
KEPT = 4
"""What was made of other inputs, so many times."""
ELSEWHERE = {
    "TZ": "Asia/Tokyo",
    "LANG": "C",
    "PYTHONHASHSEED": "7",
    "AWS_PROFILE": "somebody",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-key",
    "CDK_DEFAULT_ACCOUNT": "123456789012",
    "CDK_DEFAULT_REGION": "eu-central-1",
    "CODEBUILD_BUILD_ID": "sanctum:1",
}
"""Another time zone, language and account."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark who needs another synthesis than the one that is made without the command."""
    for item in items:
        if isinstance(item, pytest.Function) and OF_ANOTHER_SYNTHESIS & {*item.fixturenames}:
            item.add_marker(pytest.mark.again)


def kept(kind: str, digest: str, make: Callable[[Path], subprocess.CompletedProcess[str]], cache: Path = CACHE) -> Path:
    """The folder of a ``kind`` that ``make`` made of inputs with this digest, now or in an earlier run."""
    out = cache / f"{kind}-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            unfinished = cache / f"{kind}-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            # The newest may still be read by another run.
            for stale in sorted(cache.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                shutil.rmtree(stale)
            made = make(unfinished)
            assert made.returncode == 0, made.stderr
            unfinished.rename(out)
    return out


def _digest(*more: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for top in (*INPUTS, *more):
        for path in sorted([ROOT / top, *(ROOT / top).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts and not {*ONLY_READ} & {*path.parents}:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make_elsewhere(out: Path) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder) / "another folder"
        elsewhere.mkdir()
        for name in INPUTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, elsewhere / name)
            else:
                shutil.copy(source, elsewhere / name)
        return run_closed(
            [sys.executable, "-O", "-m", "tests.infra.alone", out],
            elsewhere,
            ELSEWHERE | {"HOME": str(elsewhere), "PYTHONPATH": str(ROOT)},
        )


@pytest.fixture(scope="session")
def elsewhere() -> Path:
    """The application of the working tree, and constructs alone, made without the command and in another place."""
    return kept("elsewhere", _digest("tools/synth.py", "tests/infra/alone"), _make_elsewhere)


@pytest.fixture(scope="session")
def assembly(elsewhere: Path) -> Path:
    """The cloud assembly of the working tree: the same bytes as `judged`, without what the command says of it."""
    return elsewhere / "cdk.out"


@pytest.fixture(scope="session")
def alone(elsewhere: Path) -> Path:
    """What `tests.infra.alone` makes: an assembly by the name of each file."""
    return elsewhere / "alone"


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly by the command, with its judgement and with what is accepted of that."""
    measured = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    # Lines are counted where they run, so a measured run makes its own; the workers of one run share it.
    cache = tmp_path_factory.getbasetemp().parent if measured else CACHE
    return kept("cdk.out", _digest(), lambda out: synthesize(ROOT, out, measured), cache)


@pytest.fixture(scope="session")
def variants() -> Path:
    """Other environments, each in a folder by its number."""
    digest = _digest("tests/infra/variants.py", "tests/infra/settings_strategy.py")
    chosen = ["all"] if EVERYTHING else []
    validation = {} if JUDGED else {"CDK_VALIDATION": "false"}
    return kept(
        f"{'all-' if EVERYTHING else 'judged-' if JUDGED else ''}variants",
        digest,
        lambda out: run_closed([sys.executable, "-O", "-m", "tests.infra.variants", out, *chosen], ROOT, validation),
    )


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
