"""What is hurt, one fault after another, and the people who talk meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.opensearch_binaries import missing
from tests.faults import load
from tests.faults.house import House
from tests.faults.house import house as start
from tests.support.person import Person


@pytest.hookimpl(tryfirst=True)  # see tests/conftest.py
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all that hurt the same Sanctum in one process."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and "house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running Sanctum to hurt; each test leaves it well."""
    with start(tmp_path_factory.mktemp("faults") / "state") as started:
        yield started


@pytest.fixture
def house_on_opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Another for each test, which remembers in OpenSearch."""
    if lacks := missing():
        pytest.skip(lacks)
    with start(tmp_path_factory.mktemp("faults_on_opensearch") / "state", "opensearch") as started:
        yield started


@pytest.fixture
def people_on_opensearch(house_on_opensearch: House) -> Iterator[list[Person]]:
    """The same four there."""
    sanctum = house_on_opensearch.sanctum
    made = [Person(sanctum.url, sanctum.ca).register() for _ in load.WAYS]
    yield made
    load.close(made)


@pytest.fixture(scope="session")
def people(house: House) -> Iterator[list[Person]]:
    """Four people, one for each way to send a message."""
    made = [Person(house.sanctum.url, house.sanctum.ca).register() for _ in load.WAYS]
    yield made
    load.close(made)
