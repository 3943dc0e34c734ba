"""What tests of several folders share: one PostgreSQL server a run, the real one."""

import gc
import shutil
from collections.abc import Iterator

import pytest

from local.certificates import Authority
from local.postgres import Postgres
from tests.support import privacy

DEAR = {"shared_backend": "backend", "fuzzed": "fuzz", "core": "ai_core"}
"""Fixtures that take seconds to make, and the xdist group of all tests that share one: made once a run."""

gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """From here on garbage is looked for, and not in what was imported: that stays, and looking costs a fifth of a
    second each time. A group that xdist has not seen ends the run."""
    gc.freeze()
    gc.enable()
    for item in session.items if hasattr(session.config, "workerinput") else ():
        group = item.get_closest_marker("xdist_group")
        assert not group or item.nodeid.endswith(f"@{group.args[0]}"), f"xdist has not seen the group of {item.nodeid}"


# First, as xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that share a dear fixture into its group."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        group = next((group for fixture, group in DEAR.items() if fixture in names), None)
        if group and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with TLS and SCRAM-SHA-256; ``create_database`` makes a test's own database in it."""
    folder = tmp_path_factory.mktemp("postgres")
    with Postgres(folder, Authority("Sanctum tests"), durable=False) as server:
        yield server
    privacy.keep(folder)
    shutil.rmtree(folder)
