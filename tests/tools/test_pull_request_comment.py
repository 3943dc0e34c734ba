"""A pull request has one comment on its templates; nothing that its code wrote does more there than be read."""

import io
import stat
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.tools import github
from tools import pull_request_comment
from tools.pull_request_comment import FILE, MARK, MOST_CHARACTERS

RUN = 9
URL = "https://github.example/run"


@pytest.fixture
def server() -> Iterator[github.GitHub]:
    """A pull request from a fork, which has run."""
    with github.running() as server:
        server.pulls = [{"number": 5, "head": {"label": "stranger:a-branch", "sha": "last"}}]
        server.artifacts[RUN] = _zip("# Stateful: nothing is lost\n")
        yield server


def _zip(text: str, name: str = FILE, mode: int = 0) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, text)
    return content.getvalue()


def _ran(server: github.GitHub, **more: Any) -> str:
    run = {
        "id": RUN,
        "html_url": URL,
        "head_sha": "last",
        "head_branch": "a-branch",
        "head_repository": {"owner": {"login": "stranger"}},
    }
    return pull_request_comment.main(server.repository, run | more)


def test_what_was_found_is_said_once_and_said_anew(server: github.GitHub) -> None:
    server.comment(5, "I like it", who="somebody")
    server.comment(5, f"{MARK} mine", who="somebody")
    assert _ran(server) == "Pull request 5 has the comment."
    server.artifacts[RUN] = _zip("+ AWS::SNS::Topic News\n")
    _ran(server)
    (ours,) = (comment for comment in server.comments if comment["user"]["login"] == "github-actions[bot]")
    assert ours["issue"] == 5
    assert URL in ours["body"]
    assert ours["body"].endswith("\n```diff\n+ AWS::SNS::Topic News\n```\n")


def test_it_is_found_among_many(server: github.GitHub) -> None:
    for number in range(250):
        server.comment(5, f"Number {number}", who="somebody")
    _ran(server)
    _ran(server)
    assert len(server.comments) == 251


@pytest.mark.parametrize(
    "more",
    [{"head_sha": "before"}, {"head_branch": "another"}, {"head_repository": None}],
    ids=["a newer commit is there", "it has none", "the fork is gone"],
)
def test_a_run_for_no_open_pull_request_says_nothing(server: github.GitHub, more: dict[str, Any]) -> None:
    assert _ran(server, **more) == "No open pull request has this commit as its last."
    assert server.comments == []


def test_a_branch_is_a_name_and_no_part_of_the_question(server: github.GitHub) -> None:
    assert _ran(server, head_branch="x&head=stranger:a-branch") == "No open pull request has this commit as its last."


def test_a_run_that_broke_off_says_nothing(server: github.GitHub) -> None:
    server.artifacts.clear()
    assert _ran(server) == "The run has left no text."


@pytest.mark.parametrize("line", ["```", "````", "~~~", "\r```", "\u2028```", "x```\n\n@everybody [a](https://b)"])
def test_text_stays_in_its_block(server: github.GitHub, line: str) -> None:
    server.artifacts[RUN] = _zip(f"- a\n{line}\n- b\n")
    _ran(server)
    before, block, after = server.comments[0]["body"].split("```")
    assert "@" not in before
    assert block.endswith("\n- b\n")
    assert after == "\n"


def test_what_cannot_be_seen_is_left_out(server: github.GitHub) -> None:
    server.artifacts[RUN] = _zip("- a\x1b[8m\x00\u202eb\n")
    _ran(server)
    assert "\n- a[8mb\n" in server.comments[0]["body"]


def test_long_text_is_cut(server: github.GitHub) -> None:
    server.artifacts[RUN] = _zip("- a line\n" * 100_000)
    _ran(server)
    assert MOST_CHARACTERS <= len(server.comments[0]["body"]) < 65_536


def test_a_link_to_a_file_of_the_runner_is_not_followed(server: github.GitHub) -> None:
    server.artifacts[RUN] = _zip("/proc/self/environ", mode=stat.S_IFLNK | 0o777)
    _ran(server)
    assert "```diff\n/proc/self/environ\n```" in server.comments[0]["body"]


@pytest.mark.parametrize("name", ["another.txt", f"../{FILE}", f"/{FILE}"])
def test_no_other_file_is_read(server: github.GitHub, name: str) -> None:
    server.artifacts[RUN] = _zip("text", name=name)
    with pytest.raises(KeyError):
        _ran(server)
    assert server.comments == []


def test_a_file_beyond_measure_is_refused(server: github.GitHub) -> None:
    content = io.BytesIO(_zip("- a line\n"))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("more", b"\0" * 2_000_000)
    server.artifacts[RUN] = content.getvalue()
    with pytest.raises(zipfile.BadZipFile):
        _ran(server)


def test_the_token_goes_to_the_api_and_nowhere_else(server: github.GitHub) -> None:
    _ran(server)
    for path, token in server.tokens:
        assert token == (None if path.startswith("/files/") else f"Bearer {github.TOKEN}")
    assert any(path.startswith("/files/") for path, _ in server.tokens)


def test_what_github_refuses_fails(server: github.GitHub) -> None:
    with pytest.raises(HTTPError):
        server.repository.get("nothing")
