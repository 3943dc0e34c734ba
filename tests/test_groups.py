"""What takes seconds to make is made once a run: xdist keeps a group of tests in one process."""

import pytest

from tests.conftest import DEAR


def test_tests_that_share_a_dear_fixture_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """In a worker of xdist a test's id ends with its group, or xdist does not know it."""
    in_worker = hasattr(request.config, "workerinput")
    apart = [
        item.nodeid
        for item in request.session.items
        if DEAR.keys() & set(getattr(item, "fixturenames", ()))
        and not (item.get_closest_marker("xdist_group") and (not in_worker or "@" in item.nodeid.rpartition("]")[2]))
    ]
    assert apart == []
