"""`python3 -m tools.main_is_red`: an issue is open for as long as a workflow fails on the main branch.

GitHub mails whoever pushed; this is for everybody else. NEEDS is what GitHub says of the jobs before (`toJSON(needs)`);
one that ran out of time counts as cancelled there, and here as failed.
"""

import json
import os
from collections.abc import Mapping

from tools.github_api import ROBOT, Repository


def main(repository: Repository, environment: Mapping[str, str]) -> str:
    """Open it, add to it or close it; what was done."""
    workflow, commit = environment["GITHUB_WORKFLOW"], environment["GITHUB_SHA"]
    run = f"{environment['GITHUB_SERVER_URL']}/{repository.name}/actions/runs/{environment['GITHUB_RUN_ID']}"
    results = {name: job["result"] for name, job in json.loads(environment["NEEDS"]).items()}
    failed = sorted(name for name, result in results.items() if result not in {"success", "skipped"})
    title = f"{workflow} fails on {environment['GITHUB_REF_NAME']}"
    issue = _open_issue(repository, title)
    if failed:
        text = f"{', '.join(failed)} of {commit}: {run}"
        if issue:
            repository.send("POST", f"issues/{issue}/comments", {"body": text})
            return f"Issue {issue}: {text}"
        made = repository.send("POST", "issues", {"title": title, "body": text})
        return f"Issue {made['number']} is open: {text}"
    if issue and repository.get(f"commits/{environment['GITHUB_REF_NAME']}")["sha"] == commit:
        repository.send("POST", f"issues/{issue}/comments", {"body": f"Not any more, with {commit}: {run}"})
        repository.send("PATCH", f"issues/{issue}", {"state": "closed"})
        return f"Issue {issue} is closed."
    return "Nothing to say."  # of an older commit a good run says nothing about the branch


def _open_issue(repository: Repository, title: str) -> int | None:
    found = repository.get("issues", state="open", creator=ROBOT, per_page="100")
    return next((int(issue["number"]) for issue in found if issue["title"] == title), None)


if __name__ == "__main__":
    print(main(Repository.of_job(), os.environ))  # noqa: T201  # for the log
