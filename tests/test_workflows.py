"""What runs on GitHub is pinned, may do little, and is what runs everywhere else."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_repository import ROOT, tracked

Json = dict[Any, Any]

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, Json] = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
JOBS: dict[str, Json] = {
    f"{workflow}/{name}": job for workflow, content in WORKFLOWS.items() for name, job in content["jobs"].items()
}
PINNED = re.compile(r"- uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WRITES = {
    "ci/report": {"issues"},
    "dependencies/report": {"issues"},
    "comment/comment": {"pull-requests"},
}
"""The only jobs whose token may write, and what."""
MAIN_ALONE = {
    "ci/report": "github.event_name == 'push'",
    "dependencies/report": "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'",
}
jobs = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
workflows = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)


def _triggers(workflow: Json) -> Json:
    return workflow[True]  # what YAML 1.1 makes of the word `on`


def _commands(jobs: list[Json]) -> list[str]:
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(file: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in file.read_text().splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(f"- {line}")] == []


def test_an_action_has_one_version_everywhere() -> None:
    used = {
        line.strip().removeprefix("- ") for file in FILES for line in file.read_text().splitlines() if "uses:" in line
    }
    assert len(used) == len({line.partition("@")[0] for line in used})


def test_only_actions_of_github_itself_are_used() -> None:
    used = {step["uses"].partition("@")[0] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    assert {name.partition("/")[0] for name in used} == {"actions"}


@workflows
def test_a_workflow_gives_no_permission_to_all_of_its_jobs(workflow: Json) -> None:
    assert workflow["permissions"] == {}


def test_each_job_may_read_and_hardly_any_may_write() -> None:
    given = {name: {k for k, v in job["permissions"].items() if v != "read"} for name, job in JOBS.items()}
    assert {name: writes for name, writes in given.items() if writes} == WRITES
    assert {value for job in JOBS.values() for value in job["permissions"].values()} == {"read", "write"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_there_is_no_secret_and_no_key_of_a_cloud(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r"secrets\W", text) == []
    assert "id-token" not in text
    assert re.findall(r"(?i)aws[_-]\w+", text.replace("AWS CodePipeline", "")) == []


@jobs
def test_a_job_ends_and_leaves_no_token_in_the_checkout(job: Json) -> None:
    assert 0 < job["timeout-minutes"] <= 90
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@jobs
def test_a_command_is_one_line_in_which_github_puts_nothing(job: Json) -> None:
    for command in _commands([job]):
        assert "\n" not in command
        assert "${{" not in command


@workflows
def test_a_newer_commit_ends_the_run_of_a_pull_request_and_none_of_main(workflow: Json) -> None:
    concurrency = workflow["concurrency"]
    if "pull_request" in _triggers(workflow):
        assert concurrency["group"].endswith("-${{ github.event.pull_request.number || github.sha }}")
        assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    else:
        assert concurrency["cancel-in-progress"] is False


def test_ci_runs_on_each_pull_request_and_each_push_to_main() -> None:
    assert _triggers(WORKFLOWS["ci"]) == {"push": {"branches": ["main"]}, "pull_request": None}
    conditional = {name for name, job in WORKFLOWS["ci"]["jobs"].items() if "if" in job}
    assert conditional == {"template-diff", "report"}
    assert not any(step.get("continue-on-error") for job in JOBS.values() for step in job["steps"])


def test_ci_runs_what_has_to_pass_everywhere_else() -> None:
    everywhere = re.findall(r"^make [a-z]+", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert everywhere
    commands = _commands(list(WORKFLOWS["ci"]["jobs"].values()))
    assert [command for command in everywhere if command not in commands] == []


def test_every_make_command_exists() -> None:
    targets = set(re.findall(r"^([\w./%-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for command in _commands(list(JOBS.values()))
        if command.startswith("make ")
        for word in re.sub(r"-C \S+", "", command).split()[1:]
        if "=" not in word
    }
    assert named
    assert named - targets == set()


def test_every_program_and_folder_that_is_named_exists() -> None:
    commands = _commands(list(JOBS.values()))
    modules = {module for command in commands for module in re.findall(r"python3? -m ([\w.]+)", command)}
    ours = {module for module in modules if not module.startswith("pytest")}
    assert {"tools.main_is_red", "tools.pull_request_comment", "tools.template_diff"} <= ours
    assert [module for module in ours if not (ROOT / (module.replace(".", "/") + ".py")).exists()] == []


def test_what_may_write_runs_only_what_main_has() -> None:
    """A pull request cannot change what runs with such a token.

    A job of a workflow that pull requests start does not start for them; the other workflow is started by GitHub as the
    default branch has it, and fetches no other branch.
    """
    for name in WRITES:
        workflow, _, job = name.partition("/")
        triggers = _triggers(WORKFLOWS[workflow])
        if "pull_request" in triggers:
            assert JOBS[name]["if"] == f"${{{{ always() && {MAIN_ALONE[name]} }}}}"
            assert job == "report"
        else:
            assert triggers == {"workflow_run": {"workflows": ["CI"], "types": ["completed"]}}
        (checkout, run) = JOBS[name]["steps"]
        assert checkout["with"] == {"persist-credentials": False, "sparse-checkout": "tools"}
        assert re.fullmatch(r"python3 -m tools\.\w+", run["run"])
    assert "pull_request_target" not in str([_triggers(workflow) for workflow in WORKFLOWS.values()])


def test_what_may_write_gets_the_token_and_nothing_that_a_stranger_wrote() -> None:
    given = {name: JOBS[name]["steps"][1]["env"] for name in WRITES}
    token = {"GITHUB_TOKEN": "${{ github.token }}"}
    needs = {"NEEDS": "${{ toJSON(needs) }}"}
    assert given == {"ci/report": token | needs, "dependencies/report": token | needs, "comment/comment": token}
    others = [job for name, job in JOBS.items() if name not in WRITES]
    assert "github.token" not in str(others)


def test_what_may_write_needs_nothing_that_has_to_be_installed() -> None:
    for module in ("tools.main_is_red", "tools.pull_request_comment"):
        command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); import {module}"]
        subprocess.run(command, cwd=ROOT, check=True)


@pytest.mark.parametrize("workflow", ["ci", "dependencies"])
def test_any_failure_on_main_is_reported(workflow: str) -> None:
    others = {*WORKFLOWS[workflow]["jobs"]} - {"report"}
    conditional = {name for name in others if "if" in WORKFLOWS[workflow]["jobs"][name]}
    assert {*WORKFLOWS[workflow]["jobs"]["report"]["needs"]} == others - conditional


def test_vulnerabilities_are_asked_for_each_day_and_when_a_lock_changes() -> None:
    triggers = _triggers(WORKFLOWS["dependencies"])
    assert [entry["cron"] for entry in triggers["schedule"]] == ["23 4 * * *"]
    assert triggers["push"] == {"branches": ["main"], "paths": triggers["pull_request"]["paths"]}
    locks = [
        file.relative_to(ROOT)
        for file in tracked()
        if re.fullmatch(r"requirements.*\.txt|package-lock\.json", file.name)
    ]
    watched = [path.removeprefix("**/") for path in triggers["push"]["paths"]]
    assert [lock for lock in locks if not any(lock.match(path) for path in watched)] == []


def test_every_kind_of_dependency_is_proposed_anew_after_a_week() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"docker", "github-actions", "npm", "pip"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    (pip,) = (update for update in updates if update["package-ecosystem"] == "pip")
    held = {
        file.parent
        for pattern in pip["directories"]
        for file in ROOT.glob(f"{pattern[1:]}/requirements*.txt".lstrip("/"))
    }
    assert {file.parent for file in tracked() if file.match("requirements*.txt")} <= held
    (npm,) = (update for update in updates if update["package-ecosystem"] == "npm")
    held = {
        file.parent for pattern in npm["directories"] for file in ROOT.glob(f"{pattern}/package-lock.json".lstrip("/"))
    }
    assert {file.parent for file in tracked() if file.name == "package-lock.json"} <= held
    (docker,) = (update for update in updates if update["package-ecosystem"] == "docker")
    assert {f"/{file.parent.relative_to(ROOT)}" for file in tracked() if file.name == "Dockerfile"} == {
        *docker["directories"]
    }
