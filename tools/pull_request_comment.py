"""`python3 -m tools.pull_request_comment`: put what CI found of the templates under the pull request it ran for.

For a job on `workflow_run`, whose token may write. The run before it ran the code of a pull request, which anybody can
open: what it left is text of a stranger. None of it is run, unpacked or read as Markdown, and which pull request it is
for says GitHub, not the text. <https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/>
"""

import io
import zipfile
from typing import Final

from tools.github_api import ROBOT, Json, Repository, event

ARTIFACT: Final = "template-diff"
FILE: Final = "template-diff.txt"
MARK: Final = "<!-- template-diff -->"
"""By which the comment is found again."""
MOST_BYTES: Final = 1_000_000
MOST_CHARACTERS: Final = 62_000
"""A comment holds 65,536."""


def main(repository: Repository, run: Json) -> str:
    """Write the comment, or write it again; what was done."""
    number = pull_request(repository, run)
    if number is None:
        return "No open pull request has this commit as its last."
    text = left_behind(repository, int(run["id"]))
    if text is None:
        return "The run has left no text."
    content = {"body": comment(text, str(run["html_url"]))}
    before = _comment_before(repository, number)
    if before:
        repository.send("PATCH", f"issues/comments/{before}", content)
    else:
        repository.send("POST", f"issues/{number}/comments", content)
    return f"Pull request {number} has the comment."


def pull_request(repository: Repository, run: Json) -> int | None:
    """The open pull request whose last commit the run was for.

    The event names none where it comes from a fork.
    """
    fork = run["head_repository"]
    if fork is None:  # removed
        return None
    head = f"{fork['owner']['login']}:{run['head_branch']}"
    found = repository.get("pulls", state="open", head=head)
    return next((int(pull["number"]) for pull in found if pull["head"]["sha"] == run["head_sha"]), None)


def left_behind(repository: Repository, run: int) -> str | None:
    """The text that a run has left."""
    artifacts = repository.get(f"actions/runs/{run}/artifacts", name=ARTIFACT)["artifacts"]
    if not artifacts:
        return None
    content = repository.download(f"actions/artifacts/{int(artifacts[0]['id'])}/zip", MOST_BYTES)
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(FILE) as file:
        return file.read(MOST_BYTES).decode(errors="replace")


def comment(text: str, run: str) -> str:
    """The comment. In a block of code nothing is a link, an image or a mention, and no line of it ends the block."""
    lines = ("".join(c for c in line if c.isprintable()) for line in text.replace("`", "'").splitlines())
    shown = "\n".join(lines)[:MOST_CHARACTERS]
    return f"{MARK}\nWhat this changes of the templates, as [its own run]({run}) found:\n\n```diff\n{shown}\n```\n"


def _comment_before(repository: Repository, number: int) -> int | None:
    page = 1
    while found := repository.get(f"issues/{number}/comments", per_page="100", page=str(page)):
        for one in found:
            if one["user"]["login"] == ROBOT and one["body"].startswith(MARK):
                return int(one["id"])
        page += 1
    return None


if __name__ == "__main__":
    print(main(Repository.of_job(), event()["workflow_run"]))  # noqa: T201  # for the log
