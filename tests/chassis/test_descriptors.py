"""How many files and connections a process may have open."""

import resource
from collections.abc import Iterator

import pytest
from chassis.descriptors import WANTED, raise_limit


@pytest.fixture
def hard() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_is_raised_as_far_as_the_system_lets_it(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    raise_limit()
    most = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)


def test_a_higher_limit_stays(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
