"""Commits that must not get on can still be made; that each is stopped in time: ``python -m tests.broken``."""

import pytest

from tests.broken.__main__ import PASSED, stopped_by
from tests.broken.commits import COMMITS, Commit
from tests.infra.synth import ROOT


@pytest.mark.parametrize("commit", COMMITS, ids=lambda commit: commit.subject)
def test_a_commit_can_be_made_today_and_names_tests_of_today(commit: Commit) -> None:
    source = (ROOT / commit.file).read_text()
    assert commit.applied(source) != source
    with pytest.raises(ValueError, match="0 of"):
        commit.applied("another file")
    for test in commit.tests:
        assert (ROOT / test).exists()


def test_each_command_that_a_commit_has_to_pass_stops_one_and_one_gets_by() -> None:
    assert [commit.stopped_by for commit in COMMITS] == ["check", "test", "evidence", PASSED]


@pytest.mark.parametrize(
    ("said", "goal"),
    [
        ("1 failed\nmake: *** [Makefile:44: check] Error 1\n", "check"),
        ("make: *** [Makefile:154: .venv/dev.stamp] Error 2", ".venv/dev.stamp"),
        ("everything is well\n", PASSED),
    ],
)
def test_what_stopped_a_build_is_read_from_what_make_says(said: str, goal: str) -> None:
    assert stopped_by(said) == goal
