"""Each seeded fault of sealing is caught by the tests named for it; all of them: ``python -m tests.seeded``."""

from collections.abc import Iterator

import pytest

from tests.seeded.fault import ROOT, Copy, Fault, copied
from tests.seeded.faults import ALL, QUICK
from tests.support.named_tests import missing

CHEAP = QUICK[::3]
"""Those of every run of the tests; each takes some seconds."""

pytestmark = pytest.mark.xdist_group("seeded")


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    with copied() as made:
        yield made


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_fault_can_be_put_into_todays_sources_and_names_tests_of_today(fault: Fault) -> None:
    source = (ROOT / fault.file).read_text()
    changed = fault.put_into(source)
    assert changed != source
    compile(changed, fault.file, "exec")
    for test in fault.tests:
        path, _, function = test.partition("[")[0].partition("::")
        assert (ROOT / path).is_file()
        assert not function or not missing(f"`{path}::{function}`")


def test_there_are_as_many_as_the_readme_says_and_none_is_there_twice() -> None:
    assert f"all {len(ALL)}: `make seeded`" in (ROOT / "README.md").read_text()
    assert (
        len({fault.name for fault in ALL})
        == len({(fault.file, fault.changes, fault.tests) for fault in ALL})
        == len(ALL)
    )


def test_the_tests_pass_without_a_fault(copy: Copy) -> None:
    verdict = copy.run(*dict.fromkeys(test for fault in CHEAP for test in fault.tests))
    assert verdict.passed, verdict.output


@pytest.mark.parametrize("fault", CHEAP, ids=lambda fault: fault.name)
def test_a_fault_is_caught(copy: Copy, fault: Fault) -> None:
    verdict = copy.suffer(fault)
    assert verdict.failed, verdict.output
    assert not verdict.passed


def test_a_test_that_cannot_even_begin_has_caught_nothing(copy: Copy) -> None:
    broken = Fault(
        "no source at all", CHEAP[0].file, (("import os\n", "import os, nothing_of_this_name\n"),), CHEAP[0].tests
    )
    verdict = copy.suffer(broken)
    assert not verdict.failed
    assert not verdict.passed
    assert copy.run(*CHEAP[0].tests).passed  # and it is mended again
