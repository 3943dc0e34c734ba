"""The pipeline: from a commit to every environment, one after the other."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import pipelines
from constructs import Construct, IConstruct

from infra import principals
from infra.delivery.artifacts import Artifacts
from infra.delivery.news import News
from infra.delivery.rights import drop_spare_statements, narrow_keys
from infra.delivery.settings import Pipeline
from infra.guards.names import BOUNDARY
from infra.guards.tags import tag

NAME = "sanctum"
ARTIFACTS = f"{NAME}-pipeline-artifacts"
"""The name of the keys of the artifacts, one in each region."""
PACKAGES = Path(__file__).resolve().parents[2] / "package.json"

TESTS = codebuild.ComputeType.MEDIUM
"""4 vCPU and 7 GiB: what the repository's own tests need."""
# Newer than the library's newest constant; both have Node 24 and Python 3.13 and 3.14.
STANDARD = "aws/codebuild/standard:8.0"
STANDARD_ARM = "aws/codebuild/amazonlinux-aarch64-standard:4.0"


class PipelineStack(cdk.Stack):
    """Builds and tests every commit, updates itself, builds the images, and deploys stage after stage.

    Everything is encrypted with keys of its own. A build has the rights of its own role: only the one that builds
    images is privileged, and only it and the one that updates the pipeline can take on roles of the deployment
    (CDK guide, "Continuous integration and delivery").
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Pipeline, architecture: str, regions: Iterable[str]
    ) -> None:
        """``architecture``: of the images, which are built on it. ``regions``: those beside its own that it deploys
        to."""
        account = settings.account
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=account.id, region=account.region),
            termination_protection=True,
            permissions_boundary=cdk.PermissionsBoundary.from_name(BOUNDARY),
        )
        tag(self, environment=construct_id)
        self._settings, self._account = settings, account
        self._key = self._make_key()
        self._log_group = logs.LogGroup(
            self,
            "Builds",
            log_group_name=f"/{NAME}/pipeline/builds",
            encryption_key=self._key,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        cast("logs.CfnLogGroup", self._log_group.node.default_child).retention_in_days = settings.logs.retention_days
        self._news = News(self, "News", emails=settings.notifications.emails, key=self._key)
        self._elsewhere = sorted({*regions} - {account.region})
        self._pipeline = self._make_pipeline(architecture)

    def deploy(self, stages: Iterable[cdk.Stage]) -> None:
        """Deploy ``stages`` in the order of the settings; nothing can be added afterwards."""
        by_name = {stage.stage_name: stage for stage in stages}
        for delivered in self._settings.stages:
            approval = pipelines.ManualApprovalStep(
                f"Approve {delivered.environment}", notification_topic=cast("sns.ITopic", self._news.topic)
            )
            self._pipeline.add_stage(
                by_name[delivered.environment],
                pre=[cast("pipelines.Step", approval)] if delivered.approval else None,
            )
        self._pipeline.build_pipeline()
        self._let_builds_connect()
        builds = [self._pipeline.synth_project.role, self._pipeline.self_mutation_project.role]
        publishers = [c for c in self._pipeline.node.find_child("Assets").node.children if c.node.id.endswith("Role")]
        drop_spare_statements([*cast("list[IConstruct]", builds), *publishers])
        narrow_keys(cast("iam.Role", self._pipeline.pipeline.role), regions=self._elsewhere, alias=ARTIFACTS)
        self._news.of_failures(pipeline=NAME)

    def _make_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"{NAME}-pipeline",
            description="Sanctum pipeline: logs of the builds, and what people are told",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        # By its name as text: a reference to a group that is encrypted with this key would be a circle.
        groups = f"arn:aws:logs:{self.region}:{self.account}:log-group:/{NAME}/pipeline/*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principals.service(f"logs.{self.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
        return key

    def _make_pipeline(self, architecture: str) -> pipelines.CodePipeline:
        source = pipelines.CodePipelineSource.connection(
            self._settings.source.repository,
            self._settings.source.branch,
            connection_arn=self._settings.source.connection_arn,
            code_build_clone_output=True,  # the tests ask git which files there are
        )
        node = codebuild.BuildSpec.from_object({"phases": {"install": {"runtime-versions": {"nodejs": "24"}}}})
        arm = architecture == "ARM64"
        return pipelines.CodePipeline(
            self,
            "Pipeline",
            pipeline_name=NAME,
            pipeline_type=codepipeline.PipelineType.V2,
            synth=pipelines.CodeBuildStep(
                "Synth",
                input=source,
                commands=["make check test scan"],
                primary_output_directory="build/cdk.out",
                build_environment=codebuild.BuildEnvironment(compute_type=TESTS),
                partial_build_spec=codebuild.BuildSpec.from_object(
                    {"phases": {"install": {"runtime-versions": {"python": "3.13"}}}}
                ),
                timeout=cdk.Duration.hours(1),
            ),
            cli_version=_pinned("aws-cdk"),
            cdk_assets_cli_version=_pinned("cdk-assets"),
            # One project for all images: its commands are in the assembly, so a new image changes no project.
            publish_assets_in_parallel=False,
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(
                    build_image=codebuild.LinuxBuildImage.from_code_build_image_id(STANDARD)
                ),
                logging=codebuild.LoggingOptions(
                    cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group)
                ),
            ),
            self_mutation_code_build_defaults=pipelines.CodeBuildOptions(partial_build_spec=node),
            asset_publishing_code_build_defaults=pipelines.CodeBuildOptions(
                partial_build_spec=node,
                build_environment=codebuild.BuildEnvironment(
                    build_image=codebuild.LinuxArmBuildImage.from_code_build_image_id(STANDARD_ARM)
                    if arm
                    else codebuild.LinuxBuildImage.from_code_build_image_id(STANDARD)
                ),
            ),
            cross_account_keys=True,
            cross_region_replication_buckets={
                region: cast("s3.IBucket", self._artifacts(region))
                for region in (self._account.region, *self._elsewhere)
            },
        )

    def _artifacts(self, region: str) -> Artifacts:
        """CloudFormation reads a template only from a bucket in its own region."""
        scope: cdk.Stack = self
        if region != self._account.region:
            scope = cdk.Stack(
                cast("Construct", self.node.scope),
                f"{self.node.id}-{region}",
                env=cdk.Environment(account=self._account.id, region=region),
                termination_protection=True,
                permissions_boundary=cdk.PermissionsBoundary.from_name(BOUNDARY),
            )
            tag(scope, environment=self.node.id)
        return Artifacts(
            scope,
            "Artifacts",
            name=f"{NAME}-pipeline-{self._account.id}-{region}",
            alias=ARTIFACTS,
            retention_days=self._settings.logs.retention_days,
        )

    def _let_builds_connect(self) -> None:
        """Allow the connection by both names of its service: which one is asked for depends on when it was made."""
        use = iam.PolicyStatement(
            actions=["codeconnections:UseConnection", "codestar-connections:UseConnection"],
            resources=[self._settings.source.connection_arn],
        )
        source = self._pipeline.pipeline.node.find_child("Source").node.find_child(
            self._settings.source.repository.replace("/", "_")
        )
        for role in (source.node.find_child("CodePipelineActionRole"), self._pipeline.synth_project.role):
            cast("iam.Role", role).add_to_principal_policy(use)


def _pinned(package: str) -> str:
    """The version of a command that ``package.json`` says, so that people and pipeline use the same."""
    return json.loads(PACKAGES.read_text())["devDependencies"][package]
