"""Before an environment its guard and, where the settings say so, a person; after it, a person's whole life."""

import json
import re
from pathlib import Path

from infra.guards.names import READER
from tests.infra.delivery.promise import pipeline_promise
from tests.infra.delivery.read import (
    COMMANDS,
    ENVIRONMENTS,
    SETTINGS,
    actions_of,
    builds_of,
    buildspec_of,
    pipeline_of,
    statements_of,
)
from tests.infra.promise import Mutation, Stacks
from tests.infra.template import Json, reference

ROOT = Path(__file__).resolve().parents[3]
APPROVED = [stage.environment for stage in SETTINGS.stages if stage.approval]
BUILD = "CODEBUILD_BUILD_ID"


def _orders(stacks: Stacks, environment: str) -> dict[str, int]:
    """When each action of an environment runs, by its name."""
    return {action["Name"]: action["RunOrder"] for stage, action in actions_of(stacks) if stage == environment}


def _action(stacks: Stacks, environment: str, name: str) -> Json:
    (found,) = [a for stage, a in actions_of(stacks) if stage == environment and a["Name"] == name]
    return found


def _moved(name: str, order: int) -> Mutation:
    """Have the action of that name run at another time, wherever it is."""

    def mutate(stacks: Stacks) -> None:
        for _, action in actions_of(stacks):
            if action["Name"] == name:
                action["RunOrder"] = order

    return mutate


def _without_action(name: str) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        for stage in pipeline_of(stacks)["Stages"]:
            stage["Actions"] = [action for action in stage["Actions"] if action["Name"] != name]

    return mutate


def _running(build: str, command: str) -> Mutation:
    """Have a build run another command."""

    def mutate(stacks: Stacks) -> None:
        project = builds_of(stacks)[build]
        spec = buildspec_of(project)
        spec["phases"]["build"]["commands"] = [command]
        project["Source"]["BuildSpec"] = json.dumps(spec)

    return mutate


@pipeline_promise(
    no_guard=_without_action("Guard"),
    guard_after_the_network=_moved("Guard", 4),
    guard_beside_the_first_stacks=_moved("Guard", 2),
    guard_of_another=_running("staging/Guard", "make guard ENV=prod"),
    guard_of_nothing=_running("prod/Guard", "true"),
)
def test_what_is_stateful_is_guarded_before_anything_of_an_environment_changes(stacks: Stacks) -> None:
    for stage in SETTINGS.stages:
        name = stage.environment
        orders = _orders(stacks, name)
        guard = orders.pop("Guard", 99)
        assert all(guard < order for order in orders.values())
        spec = buildspec_of(builds_of(stacks)[f"{name}/Guard"])
        reader = f"arn:aws:iam::{ENVIRONMENTS[name].account.id}:role/{READER}"
        assert spec["phases"]["build"]["commands"] == [f"make guard ENV={name} ROLE={reader}"]


@pipeline_promise(
    no_templates=lambda stacks: _action(stacks, "prod", "Guard")["InputArtifacts"].pop(),
    of_another_commit=lambda stacks: _action(stacks, "staging", "Guard").update(InputArtifacts=[{"Name": "Source"}]),
)
def test_the_guard_judges_the_templates_that_will_be_deployed(stacks: Stacks) -> None:
    deployed = {
        action["InputArtifacts"][0]["Name"]
        for _, action in actions_of(stacks)
        if action["ActionTypeId"]["Provider"] == "CloudFormation" and action.get("InputArtifacts")
    }
    for stage in SETTINGS.stages:
        action = _action(stacks, stage.environment, "Guard")
        assert {a["Name"] for a in action["InputArtifacts"]} == deployed | {"Synth_build_release"}
        assert action["Configuration"]["PrimarySource"] == "Synth_build_release"
        (link,) = buildspec_of(builds_of(stacks)[f"{stage.environment}/Guard"])["phases"]["install"]["commands"]
        assert link.endswith('ln -s -- "$CODEBUILD_SRC_DIR_Synth_Output" "build/cdk.out"')


@pipeline_promise(
    no_approval=_without_action("Approve_prod"),
    approval_before_the_guard=_moved("Approve_prod", 1),
    approval_after_the_network=_moved("Approve_prod", 4),
)
def test_somebody_approves_after_the_guard_and_before_anything_changes(stacks: Stacks) -> None:
    for stage in SETTINGS.stages:
        orders = _orders(stacks, stage.environment)
        approval = orders.pop(f"Approve_{stage.environment}", None)
        assert (approval is not None) == stage.approval
        if approval is not None:
            assert orders.pop("Guard") < approval
            assert all(approval < order for order in orders.values())


def _nothing_handed_on(stacks: Stacks) -> None:
    project = builds_of(stacks)["prod/Guard"]
    project["Source"]["BuildSpec"] = json.dumps(buildspec_of(project) | {"env": {}})


@pipeline_promise(
    no_comment=lambda stacks: _action(stacks, "prod", "Approve_prod")["Configuration"].pop("CustomData"),
    nothing_handed_on=_nothing_handed_on,
    no_namespace=lambda stacks: _action(stacks, "prod", "Guard").pop("Namespace"),
    another_build=lambda stacks: builds_of(stacks)["prod/Guard"].update(Name="other"),
)
def test_whoever_approves_is_led_to_what_changes_and_to_the_proof(stacks: Stacks) -> None:
    """By the log of the guard of this very execution, in the message and in the console."""
    assert APPROVED
    for name in APPROVED:
        guard, told = _action(stacks, name, "Guard"), _action(stacks, name, f"Approve_{name}")["Configuration"]
        assert buildspec_of(builds_of(stacks)[f"{name}/Guard"])["env"].get("exported-variables") == [BUILD]
        project = builds_of(stacks)[f"{name}/Guard"]["Name"]
        page = f"https://{SETTINGS.account.region}.console.aws.amazon.com/codesuite/codebuild/{SETTINGS.account.id}/projects/{project}"
        assert f"{page}/build/#{{{guard.get('Namespace')}.{BUILD}}}/" in told.get("CustomData", "")
        assert told["ExternalEntityLink"] == f"{page}/history"


@pipeline_promise(
    no_smoke=_without_action("Smoke"),
    smoke_before_the_services=_moved("Smoke", 3),
    smoke_beside_them=_moved("Smoke", 4),
    another_address=_running("prod/Smoke", "make smoke URL=https://api.staging.sanctum.example"),
    nothing_tried=_running("staging/Smoke", "make smoke URL=https://api.staging.sanctum.example || true"),
)
def test_a_person_lives_a_whole_life_at_the_public_name_after_everything_was_deployed(stacks: Stacks) -> None:
    for stage in SETTINGS.stages:
        orders = _orders(stacks, stage.environment)
        smoke = orders.pop("Smoke", 0)
        assert all(order < smoke for order in orders.values())
        spec = buildspec_of(builds_of(stacks)[f"{stage.environment}/Smoke"])
        address = f"https://{ENVIRONMENTS[stage.environment].web.domain}"
        assert spec["phases"]["build"]["commands"] == [f"make smoke URL={address}"]


LINK = r'\[ ! -d "build/cdk\.out" \] \|\| .* ln -s -- "\$CODEBUILD_SRC_DIR_Synth_Output" "build/cdk\.out"'
"""The library's own, by which a build finds its second input."""


@pipeline_promise(
    script=_running("TestRest", "make test || true"),
    another_tool=_running("prod/Smoke", "curl https://api.sanctum.example"),
)
def test_a_build_of_ours_is_one_call_of_make(stacks: Stacks) -> None:
    ours = {name: build for name, build in builds_of(stacks).items() if name in COMMANDS or "/" in name}
    assert len(ours) == len(COMMANDS) + 2 * len(SETTINGS.stages)
    for build in ours.values():
        phases = buildspec_of(build)["phases"]
        (command,) = phases["build"]["commands"]
        assert re.fullmatch(r"make [a-z ]+( [A-Z]+=[\w:/.-]+)*", command)
        assert all(re.fullmatch(LINK, line) for line in phases["install"].get("commands", []))
        assert set(phases) == {"install", "build"}


def _source_for(name: str) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        (source,) = [a for stage, a in actions_of(stacks) if stage == "Source"]
        _action(stacks, "staging", name)["InputArtifacts"].append(source["OutputArtifacts"][0])

    return mutate


@pipeline_promise(guard_asks_github=_source_for("Guard"), smoke_asks_github=_source_for("Smoke"))
def test_only_the_builds_of_a_commit_ask_github_for_it(stacks: Stacks) -> None:
    (source,) = [a for stage, a in actions_of(stacks) if stage == "Source"]
    (commit,) = source["OutputArtifacts"]
    assert [a["Name"] for _, a in actions_of(stacks) if commit in a.get("InputArtifacts", [])] == [*COMMANDS]
    using = {
        name
        for name, build in builds_of(stacks).items()
        if "UseConnection" in json.dumps(statements_of(stacks, reference(build["ServiceRole"])))
    }
    assert using == {*COMMANDS}


def _kept_elsewhere(stacks: Stacks) -> None:
    for row in builds_of(stacks)["TestRest"]["Environment"]["EnvironmentVariables"]:
        if row["Name"] == "npm_config_cache":
            row["Value"] = "build/npm"


def _cached(**changed: object) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        project = builds_of(stacks)["Check"]
        spec = buildspec_of(project)
        spec["cache"].update(changed)
        project["Source"]["BuildSpec"] = json.dumps(spec)

    return mutate


@pipeline_promise(
    installed_packages=_cached(paths=[".venv/**/*"]),
    kept_elsewhere=_kept_elsewhere,
    kept_for_ever=_cached(key="downloads"),
    another_lock=_cached(key="downloads-$(codebuild-hash-files package.json)"),
    what_uv_unpacked=_cached(paths=["build/downloads/**/*", "build/uv/**/*"]),
    elsewhere=lambda stacks: builds_of(stacks)["Synth"]["Cache"].update(Location="somebody-elses"),
    smoke_writes_too=lambda stacks: builds_of(stacks)["prod/Smoke"].update(Cache=builds_of(stacks)["Synth"]["Cache"]),
    none=lambda stacks: builds_of(stacks)["Synth"].update(Cache={"Type": "NO_CACHE"}),
)
def test_packages_are_kept_as_they_were_downloaded_for_each_state_of_the_lock_file(stacks: Stacks) -> None:
    """In the encrypted bucket of the artifacts, by the builds that install much."""
    (bucket,) = stacks["pipeline"].resources("AWS::S3::Bucket")
    own = {"Type": "S3", "Location": {"Fn::Join": ["/", [{"Ref": bucket}, "downloads"]]}}
    for name, build in builds_of(stacks).items():
        assert build["Cache"] == (own if name in COMMANDS else {"Type": "NO_CACHE"})
    builds = [builds_of(stacks)[name] for name in COMMANDS]
    cache = buildspec_of(builds[0])["cache"]
    assert all(buildspec_of(build)["cache"] == cache for build in builds)
    (kept,) = (path.removesuffix("/**/*") for path in cache["paths"])
    for build in builds:
        told = {row["Name"]: row["Value"] for row in build["Environment"]["EnvironmentVariables"]}
        assert told["npm_config_cache"] == kept
    assert cache["key"] == "downloads-$(codebuild-hash-files package-lock.json)"
    assert (ROOT / "package-lock.json").is_file()
