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
from infra.delivery.checks import add_checks
from infra.delivery.downloads import DOWNLOADS
from infra.delivery.news import News
from infra.delivery.rights import drop_spare_rights, narrow_keys, narrow_writing
from infra.delivery.settings import Delivered, Pipeline
from infra.delivery.steps import (
    RELEASE,
    STANDARD,
    STANDARD_ARM,
    approval_step,
    build_on,
    guard_step,
    runtime,
    smoke_step,
    synth_step,
)
from infra.guards.names import BOUNDARY
from infra.guards.tags import tag
from infra.settings import Environment

NAME = "sanctum"
ARTIFACTS = f"{NAME}-pipeline-artifacts"
"""The name of the keys of the artifacts, one in each region."""
PACKAGES = Path(__file__).resolve().parents[2] / "package.json"


class PipelineStack(cdk.Stack):
    """Builds, tests and proves every commit, updates itself, builds the images, and deploys stage after stage: each is
    guarded before and tried by a person's whole life after.

    Everything is encrypted with keys of its own. A build has the rights of its own role: only the one that builds
    images is privileged, and only it and the one that updates the pipeline can take on roles of the deployment
    (CDK guide, "Continuous integration and delivery"). Only the source and the builds that synthesize and test may ask
    GitHub for a commit.
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
        self._logging = codebuild.LoggingOptions(
            cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group)
        )
        self._news = News(self, "News", emails=settings.notifications.emails, key=self._key)
        self._elsewhere = sorted({*regions} - {account.region})
        self._pipeline = self._make_pipeline(architecture)

    def deploy(self, stages: Iterable[tuple[Environment, cdk.Stage]]) -> None:
        """Deploy ``stages`` in the order of the settings; nothing can be added afterwards."""
        by_name = {environment.name: (environment, stage) for environment, stage in stages}
        after = [self._deploy(delivered, *by_name[delivered.environment]) for delivered in self._settings.stages]
        self._pipeline.build_pipeline()
        checks = add_checks(self, self._pipeline, downloads=self._downloads, logging=self._logging)
        self._let_connect(*(cast("iam.IRole", build.role) for build in (self._pipeline.synth_project, *checks)))
        projects = [self._pipeline.synth_project, self._pipeline.self_mutation_project, *checks]
        projects += [step.project for steps in after for step in steps]
        publishers = [c for c in self._pipeline.node.find_child("Assets").node.children if c.node.id.endswith("Role")]
        drop_spare_rights([*(cast("IConstruct", project.role) for project in projects), *publishers])
        narrow_writing([cast("IConstruct", check.role) for check in checks], below=DOWNLOADS)
        narrow_keys(cast("iam.Role", self._pipeline.pipeline.role), regions=self._elsewhere, alias=ARTIFACTS)
        self._news.of_failures(pipeline=NAME)

    def _deploy(
        self, delivered: Delivered, environment: Environment, stage: cdk.Stage
    ) -> tuple[pipelines.CodeBuildStep, ...]:
        """Add one environment, and return the builds before and after it."""
        assembly = cast("pipelines.IFileSetProducer", self._synth)
        guard = guard_step(self, environment, release=self._release, assembly=assembly)
        smoke = smoke_step(self, environment, release=self._release)
        before: list[pipelines.Step] = [guard]
        if delivered.approval:
            before.append(approval_step(self, environment, guard=guard, topic=cast("sns.ITopic", self._news.topic)))
        self._pipeline.add_stage(stage, pre=before, post=[cast("pipelines.Step", smoke)])
        return guard, smoke

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
        node = codebuild.BuildSpec.from_object(runtime(nodejs="24"))
        buckets = {region: cast("s3.IBucket", self._artifacts(region)) for region in (self.region, *self._elsewhere)}
        self._downloads = buckets[self.region]
        self._synth = synth_step(source, downloads=self._downloads)
        self._release = self._synth.add_output_directory(RELEASE)
        return pipelines.CodePipeline(
            self,
            "Pipeline",
            pipeline_name=NAME,
            pipeline_type=codepipeline.PipelineType.V2,
            synth=cast("pipelines.IFileSetProducer", self._synth),
            cli_version=_pinned("aws-cdk"),
            cdk_assets_cli_version=_pinned("cdk-assets"),
            # One project for all images: its commands are in the assembly, so a new image changes no project.
            publish_assets_in_parallel=False,
            # Nobody would look at a change set between its making and its execution: one action a stack instead of two.
            use_change_sets=False,
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=build_on(STANDARD),
                logging=self._logging,
            ),
            self_mutation_code_build_defaults=pipelines.CodeBuildOptions(partial_build_spec=node),
            asset_publishing_code_build_defaults=pipelines.CodeBuildOptions(
                partial_build_spec=node,
                build_environment=build_on(STANDARD_ARM if architecture == "ARM64" else STANDARD),
            ),
            cross_account_keys=True,
            cross_region_replication_buckets=buckets,
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

    def _let_connect(self, *builds: iam.IRole) -> None:
        """Allow the connection by both names of its service: which one is asked for depends on when it was made."""
        use = iam.PolicyStatement(
            actions=["codeconnections:UseConnection", "codestar-connections:UseConnection"],
            resources=[self._settings.source.connection_arn],
        )
        source = self._pipeline.pipeline.node.find_child("Source").node.find_child(
            self._settings.source.repository.replace("/", "_")
        )
        for role in (source.node.find_child("CodePipelineActionRole"), *builds):
            cast("iam.Role", role).add_to_principal_policy(use)


def _pinned(package: str) -> str:
    """The version of a command that ``package.json`` says, so that people and pipeline use the same."""
    return json.loads(PACKAGES.read_text())["devDependencies"][package]
