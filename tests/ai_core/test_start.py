"""What a start loads, which is most of the time it takes."""

import sys

import pytest

from tests.support.start import once_loaded


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("sqlalchemy", "in the cloud the memory is OpenSearch"),
        ("botocore", "a client of AWS is made where it is first needed"),
    ],
)
def test_the_service_starts_without_what_only_others_need(module: str, why: str) -> None:
    assert module not in once_loaded("ai_core", "sys.modules"), why


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads that Linux knows of")
def test_a_search_is_computed_by_the_thread_that_asks() -> None:
    assert len(once_loaded("ai_core", "os.listdir('/proc/self/task')")) == 1
