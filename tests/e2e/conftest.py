"""One running Sanctum for all end-to-end tests; a stand-in answers for the model, quickly and always alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.running import Sanctum, running


@pytest.hookimpl(tryfirst=True)  # see tests/conftest.py
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module with each other's, and those of the shared Sanctum in one process."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            shared = "sanctum" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("sanctum" if shared else item.path.name))


@pytest.fixture(scope="session")
def sanctum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sanctum]:
    """Sanctum with the stand-in for the model."""
    with stand_in() as options, running(tmp_path_factory.mktemp("sanctum"), *options) as started:
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
