"""What the tests of the backend share: one backend with its AI core for most of them, and people who use it."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from local.postgres import Postgres
from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend, Certificates
from tests.support.person import Person


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Authorities and leaves."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def ai_core_server(certificates: Certificates) -> Iterator[AiCoreStandIn]:
    """The stand-in for the AI core."""
    with AiCoreStandIn(certificates.ai_core_tls()) as server:
        yield server


@pytest.fixture
def ai_core(ai_core_server: AiCoreStandIn) -> Iterator[AiCoreStandIn]:
    """The stand-in with its usual script, and nobody waiting for it in the end."""
    ai_core_server.script = Script()
    ai_core_server.memory_away = False
    ai_core_server.memory_refuses = ""
    ai_core_server.questions.clear()
    yield ai_core_server
    if ai_core_server.script.hold:
        ai_core_server.script.hold.set()
    ai_core_server.memory_away = False


@pytest.fixture(scope="session")
def deployed(postgres: Postgres, certificates: Certificates, ai_core_server: AiCoreStandIn) -> Backend:
    """A backend that never runs: the others copy its database and keys."""
    backend = Backend(postgres, certificates, ai_core_server.port, "deployed")
    backend.prepare()
    return backend


@pytest.fixture(scope="session")
def shared_backend(deployed: Backend) -> Iterator[Backend]:
    """The process that most tests talk to."""
    backend = Backend(deployed.postgres, deployed.certificates, deployed.ai_core_port, "shared")
    backend.copy(deployed)
    with backend:
        yield backend


@pytest.fixture
def backend(shared_backend: Backend, ai_core: AiCoreStandIn) -> Backend:
    """The shared process, its AI core with the usual script."""
    assert ai_core.port == shared_backend.ai_core_port
    return shared_backend


@pytest.fixture
def own_backend(deployed: Backend, ai_core: AiCoreStandIn, request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A process and a database for one test, which may kill it; ``request.param`` are sources of ``service.toml``."""
    name = f"own_{uuid4().hex}"
    settings: dict[str, str] = getattr(request, "param", {})
    backend = Backend(deployed.postgres, deployed.certificates, ai_core.port, name, settings)
    backend.copy(deployed)
    with backend:
        yield backend


@pytest.fixture
def newcomer(backend: Backend) -> Iterator[Callable[[], Person]]:
    """Makes people who are registered and signed in."""
    people: list[Person] = []

    def make() -> Person:
        people.append(Person(backend.url, backend.ca).register())
        return people[-1]

    yield make
    for person in people:
        person.http.close()


@pytest.fixture
def anonymous(backend: Backend) -> Iterator[Person]:
    """Somebody without an account."""
    person = Person(backend.url, backend.ca)
    yield person
    person.http.close()


@pytest.fixture
def alice(newcomer: Callable[[], Person]) -> Person:
    """A person."""
    return newcomer()


@pytest.fixture
def mallory(newcomer: Callable[[], Person]) -> Person:
    """Another person, who wants what is Alice's."""
    return newcomer()


@pytest.fixture
def carol(own_backend: Backend) -> Iterator[Person]:
    """Somebody who uses a process of her own."""
    person = Person(own_backend.url, own_backend.ca).register()
    yield person
    person.http.close()
