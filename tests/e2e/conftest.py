"""One running Sanctum for all end-to-end tests; a stand-in answers for the model, quickly and always alike."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.person import Person

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Sanctum:
    """A running Sanctum: where it answers, the CA that names it, where its state is."""

    url: str
    ca: Path
    state: Path

    @property
    def port(self) -> int:
        """The public port."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def running(state: Path, *options: str) -> Iterator[Sanctum]:
    """Start Sanctum as ``make up`` does, with its state in ``state``; stop it in the end."""
    local = [sys.executable, "-m", "local"]
    up = subprocess.run(
        [*local, "up", "--detach", "--state", str(state), "--port", "0", *options],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        started: dict[str, Any] = json.loads((state / "up.json").read_text())
        yield Sanctum(url=started["url"], ca=Path(started["ca"]), state=state)
    finally:
        subprocess.run([*local, "down", "--state", str(state)], cwd=ROOT, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def sanctum(tmp_path_factory: pytest.TempPathFactory, model_options: list[str]) -> Iterator[Sanctum]:
    """Sanctum with the stand-in for the model."""
    with running(tmp_path_factory.mktemp("sanctum"), *model_options) as started:
        yield started


@pytest.fixture
def anonymous(sanctum: Sanctum) -> Iterator[Person]:
    """Somebody without an account."""
    person = Person(sanctum.url, sanctum.ca)
    yield person
    person.http.close()


@pytest.fixture
def newcomer(sanctum: Sanctum) -> Iterator[Callable[[], Person]]:
    """Makes people who are registered and signed in."""
    people: list[Person] = []

    def make() -> Person:
        people.append(Person(sanctum.url, sanctum.ca).register())
        return people[-1]

    yield make
    for person in people:
        person.http.close()


@pytest.fixture
def alice(newcomer: Callable[[], Person]) -> Person:
    """A person."""
    return newcomer()


@pytest.fixture
def mallory(newcomer: Callable[[], Person]) -> Person:
    """Another person, who wants what is Alice's."""
    return newcomer()
