"""The builds of the pipeline: each is one call of ``make``, with the rights of its own role and no others."""

from typing import Final, cast

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import pipelines
from constructs import Construct

from infra import principals
from infra.delivery.downloads import CACHE, LONG, VARIABLES, kept
from infra.guards.names import READER, guard_role
from infra.settings import Environment

PROVING: Final = codebuild.ComputeType.LARGE
"""8 vCPU and 15 GiB: most of the proof is to show each tool each defect, which takes as many as there are."""
# Newer than the library's newest constant; both have Node 24 and Python 3.13 and 3.14.
STANDARD: Final = "aws/codebuild/standard:8.0"
STANDARD_ARM: Final = "aws/codebuild/amazonlinux-aarch64-standard:4.0"
RELEASE: Final = "build/release"
ASSEMBLY: Final = "build/cdk.out"
SOON: Final = 20
"""Minutes after which a guard or a smoke test is given up."""


def runtime(**versions: str) -> dict[str, object]:
    """The part of a build specification that says which languages a build has."""
    return {"phases": {"install": {"runtime-versions": versions}}}


def build_on(image: str) -> codebuild.BuildEnvironment:
    """One of CodeBuild's own images, by its name."""
    arm = codebuild.LinuxArmBuildImage.from_code_build_image_id
    other = codebuild.LinuxBuildImage.from_code_build_image_id
    return codebuild.BuildEnvironment(build_image=arm(image) if "aarch64" in image else other(image))


def synth_step(source: pipelines.CodePipelineSource, *, downloads: s3.IBucket) -> pipelines.CodeBuildStep:
    """Synthesizes a commit and proves what it says, beside the builds of ``infra.delivery.checks``."""
    return pipelines.CodeBuildStep(
        "Synth",
        input=cast("pipelines.IFileSetProducer", source),
        env=VARIABLES,
        commands=["make evidence release"],
        primary_output_directory=ASSEMBLY,
        build_environment=codebuild.BuildEnvironment(compute_type=PROVING),
        cache=kept(downloads),
        partial_build_spec=codebuild.BuildSpec.from_object(runtime(python="3.13") | {"cache": CACHE}),
        timeout=cdk.Duration.minutes(LONG),
    )


def guard_step(
    scope: Construct,
    environment: Environment,
    *,
    release: pipelines.FileSet,
    assembly: pipelines.IFileSetProducer,
) -> pipelines.CodeBuildStep:
    """Refuses what would lose something, before anything of the environment changes; reads it, and can do no more."""
    reader = f"arn:aws:iam::{environment.account.id}:role/{READER}"
    return pipelines.CodeBuildStep(
        "Guard",
        project_name=f"sanctum-guard-{environment.name}",
        input=cast("pipelines.IFileSetProducer", release),
        additional_inputs={ASSEMBLY: assembly},
        commands=[f"make guard ENV={environment.name} ROLE={reader}"],
        role=_role(scope, f"Guard-{environment.name}", name=guard_role(environment.name)),
        role_policy_statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[reader])],
        partial_build_spec=codebuild.BuildSpec.from_object(runtime(python="3.13")),
        timeout=cdk.Duration.minutes(SOON),
    )


def approval_step(
    scope: cdk.Stack, environment: Environment, *, guard: pipelines.CodeBuildStep, topic: sns.ITopic
) -> pipelines.ManualApprovalStep:
    """Asks once, after the guard, whose log says what changes, what of it is stateful, and what was proved."""
    project = (
        f"https://{scope.region}.console.aws.amazon.com/codesuite/codebuild/{scope.account}/projects/"
        f"{guard.project_name}"
    )
    # Known only while the pipeline runs: CodeBuild hands on which build it was.
    build = guard.exported_variable("CODEBUILD_BUILD_ID")
    step = pipelines.ManualApprovalStep(
        f"Approve {environment.name}",
        comment=f"What changes in {environment.name}, and the proof of it: {project}/build/{build}/",
        review_url=f"{project}/history",
        notification_topic=topic,
    )
    step.add_step_dependency(cast("pipelines.Step", guard))
    return step


def smoke_step(scope: Construct, environment: Environment, *, release: pipelines.FileSet) -> pipelines.CodeBuildStep:
    """Lives a person's whole life at the public address; has no rights in any account."""
    return pipelines.CodeBuildStep(
        "Smoke",
        project_name=f"sanctum-smoke-{environment.name}",
        input=cast("pipelines.IFileSetProducer", release),
        commands=[f"make smoke URL=https://{environment.web.domain}"],
        role=_role(scope, f"Smoke-{environment.name}"),
        partial_build_spec=codebuild.BuildSpec.from_object(runtime(python="3.13")),
        timeout=cdk.Duration.minutes(SOON),
    )


def _role(scope: Construct, construct_id: str, *, name: str | None = None) -> iam.IRole:
    """What a build acts as. Others name it only where it has a name."""
    codebuild_here = principals.service("codebuild.amazonaws.com", account=cdk.Stack.of(scope).account)
    return cast("iam.IRole", iam.Role(scope, construct_id, role_name=name, assumed_by=codebuild_here))
