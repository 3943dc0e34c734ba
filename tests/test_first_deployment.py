"""The pages about the cloud answer every row, and name only tests that exist."""

import re

import pytest

from tests.support.named_tests import ROOT, TEST, missing

FACTS = (ROOT / "docs" / "first-deployment.md").read_text()
README = (ROOT / "README.md").read_text()


def test_every_row_of_what_a_first_deployment_trips_over_is_answered() -> None:
    rows = re.findall(r"^\| ([\d.]+) \| (.+?) \| (.+) \|$", FACTS, re.MULTILINE)
    assert len(rows) > 50
    assert len({number for number, _, _ in rows}) == len(rows)
    unanswered = [n for n, _, answer in rows if not (TEST.search(answer) or re.search(r"decisions/\d{4}-", answer))]
    assert unanswered == []


@pytest.mark.parametrize("page", [FACTS, README], ids=["first-deployment", "readme"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    assert TEST.search(page)
    assert missing(page) == []


def test_every_decision_that_the_page_names_exists() -> None:
    named = re.findall(r"\((decisions/\d{4}-[\w-]+\.md)\)", FACTS)
    assert named
    assert [path for path in named if not (ROOT / "docs" / path).is_file()] == []
