"""The CDK application: run by the ``cdk`` command, which reads ``cdk.json`` first."""

import gc
import sys
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from constructs import Construct

from infra.delivery.settings import Pipeline, read_pipeline
from infra.delivery.stack import PipelineStack
from infra.guards.accounts import guarded_accounts
from infra.guards.nag import Nag
from infra.guards.signing import SigningStack
from infra.guards.stack import GuardsStack
from infra.services import InvalidService, Service, read_services
from infra.settings import PIPELINE, Environment, InvalidSettings, read_environments
from infra.sizes import check_quota
from infra.stage import EnvironmentStage


def build(
    app: cdk.App, environments: Sequence[Environment], delivery: Pipeline | None, services: Mapping[str, Service]
) -> None:
    """Everything there is: the guards of each account and what signs its images, every environment, and the pipeline.

    An environment that the pipeline deploys is part of the pipeline's stack, and is synthesized once.
    """
    nag = Nag(app)

    def stage(scope: Construct, environment: Environment) -> EnvironmentStage:
        made = EnvironmentStage(scope, environment=environment, services=services)
        nag.environment(made, environment)
        return made

    accounts = guarded_accounts(environments, delivery)
    for account in accounts.values():
        nag.guards(GuardsStack(app, account=account), account)
        for region in account.signed:
            SigningStack(app, account=account, region=region)
    delivered = {stage.environment for stage in delivery.stages} if delivery else set[str]()
    for environment in environments:
        if environment.name not in delivered:
            stage(app, environment)
    if delivery:
        ours = [environment for environment in environments if environment.name in delivered]
        tooling = accounts[delivery.account.id]
        architecture = ours[0].compute.architecture
        pipeline = PipelineStack(app, PIPELINE, settings=delivery, architecture=architecture, regions=tooling.regions)
        pipeline.deploy((environment, stage(pipeline, environment)) for environment in ours)
        nag.pipeline(app, delivery, tooling)


def main() -> None:
    """Synthesize it; wrong settings end it with what is wrong, and nothing else."""
    gc.disable()  # a short process that keeps nearly all it makes: collecting costs a fifth of its time
    # Stack traces name the temporary folder of the run: no two would write the same bytes.
    app = cdk.App(stack_traces=False, context={"aws:cdk:disable-creation-stack-traces": True})
    try:
        services = read_services()
        environments = read_environments()
        check_quota(environments, services)
        build(app, environments, read_pipeline(environments), services)
    except (InvalidService, InvalidSettings) as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
