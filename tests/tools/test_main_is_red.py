"""While a workflow fails on the main branch, one issue is open, and says which jobs of which commits."""

import json
from collections.abc import Iterator

import pytest

from tests.tools import github
from tools import main_is_red


@pytest.fixture
def server() -> Iterator[github.GitHub]:
    """A repository without issues."""
    with github.running() as server:
        yield server


def _ran(server: github.GitHub, commit: str = "newest", workflow: str = "CI", **results: str) -> str:
    environment = {
        "GITHUB_WORKFLOW": workflow,
        "GITHUB_SHA": commit,
        "GITHUB_REF_NAME": "main",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "7",
        "NEEDS": json.dumps({name: {"result": result, "outputs": {}} for name, result in results.items()}),
    }
    return main_is_red.main(server.repository, environment)


def _open(server: github.GitHub) -> list[str]:
    return [issue["title"] for issue in server.issues if issue["state"] == "open"]


@pytest.mark.parametrize("result", ["failure", "cancelled"])
def test_a_failure_opens_an_issue_that_says_what_and_where(server: github.GitHub, result: str) -> None:
    told = _ran(server, check="success", test=result, diff="skipped")
    assert _open(server) == ["CI fails on main"]
    assert told.endswith("test of newest: https://github.example/people/sanctum/actions/runs/7")


def test_the_next_failure_is_added_to_it(server: github.GitHub) -> None:
    _ran(server, "older", test="failure")
    _ran(server, test="failure", check="failure")
    assert _open(server) == ["CI fails on main"]
    assert [comment["body"].split(":")[0] for comment in server.comments] == ["check, test of newest"]


def test_it_is_closed_when_the_newest_commit_is_good(server: github.GitHub) -> None:
    _ran(server, "older", test="failure")
    _ran(server, test="success", diff="skipped")
    assert _open(server) == []
    assert server.comments[0]["body"].startswith("Not any more, with newest")


def test_a_good_run_of_an_older_commit_closes_nothing(server: github.GitHub) -> None:
    _ran(server, test="failure")
    assert _ran(server, "older", test="success") == "Nothing to say."
    assert _open(server) == ["CI fails on main"]


def test_each_workflow_has_its_own(server: github.GitHub) -> None:
    _ran(server, test="failure")
    _ran(server, workflow="Dependencies", audit="failure")
    _ran(server, test="success")
    assert _open(server) == ["Dependencies fails on main"]


def test_an_issue_of_a_person_by_that_title_is_left_alone(server: github.GitHub) -> None:
    server.issue("CI fails on main", who="somebody")
    _ran(server, test="success")
    assert _open(server) == ["CI fails on main"]
    _ran(server, test="failure")
    assert len(_open(server)) == 2


def test_where_all_is_well_nothing_is_written(server: github.GitHub) -> None:
    _ran(server, test="success")
    assert (server.issues, server.comments) == ([], [])
