"""The pipeline's template, with the questions that its tests ask of it."""

import json

from infra.delivery.settings import read_pipeline
from infra.settings import read_environments
from tests.infra.promise import Stacks
from tests.infra.template import Json, reference

_settings = read_pipeline(read_environments())
assert _settings
SETTINGS = _settings
ENVIRONMENTS = {environment.name: environment for environment in read_environments()}


COMMANDS = {
    "Synth": "make evidence release",
    "Check": "make check",
    "TestServices": "make test PART=services",
    "TestSystem": "make test PART=system",
    "TestFaults": "make test PART=faults",
    "TestRest": "make test PART=rest",
}
"""What is run of a commit before anything of it goes on, by the name of the build."""


def pipeline_of(stacks: Stacks) -> Json:
    """The pipeline itself."""
    return stacks["pipeline"].only("AWS::CodePipeline::Pipeline")


def actions_of(stacks: Stacks) -> list[tuple[str, Json]]:
    """Stage and action, in the order in which they run."""
    return [
        (stage["Name"], action)
        for stage in pipeline_of(stacks)["Stages"]
        for action in sorted(stage["Actions"], key=lambda a: a["RunOrder"])
    ]


def project_of(stacks: Stacks, action: Json) -> Json:
    """What an action builds."""
    return stacks["pipeline"].resources()[reference(action["Configuration"]["ProjectName"])]["Properties"]


def called(stage: str, action: Json) -> str:
    """The name of an action; within an environment, behind that environment's."""
    return f"{stage}/{action['Name']}" if stage in ENVIRONMENTS else action["Name"]


def builds_of(stacks: Stacks) -> dict[str, Json]:
    """Every build by its action's name; those of an environment have its name before."""
    return {
        called(stage, a): project_of(stacks, a)
        for stage, a in actions_of(stacks)
        if a["ActionTypeId"]["Provider"] == "CodeBuild"
    }


def statements_of(stacks: Stacks, role: str) -> list[Json]:
    """What the policies of a role say."""
    policies = [p for p in stacks["pipeline"].properties("AWS::IAM::Policy") if {"Ref": role} in p["Roles"]]
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def buildspec_of(build: Json) -> Json:
    """What a build runs, where its template says it."""
    return json.loads(build["Source"]["BuildSpec"])
