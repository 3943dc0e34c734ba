"""What has to be well of a commit before anything of it goes on, beside the build that synthesizes it.

The library runs one build before the pipeline updates itself. More of them in the same stage run at the same time, and
the stage is over when all have passed.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final, cast

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from infra.delivery.downloads import CACHE, LONG, VARIABLES, kept
from infra.delivery.steps import STANDARD, build_on, runtime

STAGE: Final = "Build"
"""Where the library synthesizes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One build: its name, what ``make`` is asked for, and the size of its machine."""

    name: str
    goal: str
    size: codebuild.ComputeType


CHECKS: Final = (
    Check("Check", "check", codebuild.ComputeType.MEDIUM),  # 4 vCPU and 7 GiB, of which the types need 3.4
    # 8 vCPU and 15 GiB each; each takes about as long as the others.
    Check("TestServices", "test PART=services", codebuild.ComputeType.LARGE),
    Check("TestSystem", "test PART=system", codebuild.ComputeType.LARGE),
    Check("TestFaults", "test PART=faults", codebuild.ComputeType.LARGE),
    Check("TestRest", "test PART=rest", codebuild.ComputeType.LARGE),
)


def add_checks(
    scope: Construct, pipeline: pipelines.CodePipeline, *, downloads: s3.IBucket, logging: codebuild.LoggingOptions
) -> list[codebuild.PipelineProject]:
    """Add them to a pipeline that is built; they read the commit as the synthesis does, and hand on nothing."""
    commit = codepipeline.Artifact(_commit_of(pipeline))
    # The library's own role, as which the pipeline starts every build.
    starter = cast("iam.IRole", pipeline.node.find_child("CodeBuildActionRole"))
    projects: list[codebuild.PipelineProject] = []
    for check in CHECKS:
        project = _project(scope, check, downloads=downloads, logging=logging)
        action = actions.CodeBuildAction(
            action_name=check.name,
            input=commit,
            project=cast("codebuild.IProject", project),
            role=starter,
            environment_variables={"_PROJECT_CONFIG_HASH": codebuild.BuildEnvironmentVariable(value=told_by(check))},
        )
        pipeline.pipeline.stage(STAGE).add_action(cast("codepipeline.IAction", action))
        projects.append(project)
    return projects


def _project(
    scope: Construct, check: Check, *, downloads: s3.IBucket, logging: codebuild.LoggingOptions
) -> codebuild.PipelineProject:
    return codebuild.PipelineProject(
        scope,
        check.name,
        description=f"make {check.goal}",
        build_spec=codebuild.BuildSpec.from_object(_specification(check)),
        environment=codebuild.BuildEnvironment(build_image=build_on(STANDARD).build_image, compute_type=check.size),
        environment_variables={k: codebuild.BuildEnvironmentVariable(value=v) for k, v in VARIABLES.items()},
        cache=kept(downloads),
        logging=logging,
        timeout=cdk.Duration.minutes(LONG),
    )


def _specification(check: Check) -> dict[str, object]:
    phases = cast("dict[str, object]", runtime(python="3.13")["phases"])
    return {
        "version": "0.2",
        "phases": phases | {"build": {"commands": [f"make {check.goal}"]}},
        "cache": CACHE,
    }


def told_by(check: Check) -> str:
    """What the action says of its build, so that a commit which changes the build is built again by the new one.

    The library does so for its own builds: a pipeline starts anew only where something of itself has changed.
    """
    told = [_specification(check), VARIABLES, STANDARD, check.size.value]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _commit_of(pipeline: pipelines.CodePipeline) -> str:
    """The name of what the source hands on."""
    cfn = cast("codepipeline.CfnPipeline", pipeline.pipeline.node.default_child)
    source = cdk.Stack.of(cfn).resolve(cfn.stages)[0]
    return source["actions"][0]["outputArtifacts"][0]["name"]
