"""One running Sanctum for all end-to-end tests; a stand-in answers for the model, quickly and always alike."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.person import Person
from tests.support.running import Sanctum, running


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
