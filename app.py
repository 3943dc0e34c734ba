"""The CDK application: run by the ``cdk`` command, which reads ``cdk.json`` first."""

import gc
import sys

import aws_cdk as cdk

from infra.delivery.settings import read_pipeline
from infra.delivery.stack import PipelineStack
from infra.guards.accounts import guarded_accounts
from infra.guards.stack import GuardsStack
from infra.services import InvalidService, read_services
from infra.settings import PIPELINE, InvalidSettings, read_environments
from infra.sizes import check_quota
from infra.stage import EnvironmentStage


def main() -> None:
    """Synthesize every environment; wrong settings end it with what is wrong, and nothing else."""
    gc.disable()  # a short process that keeps nearly all it makes: collecting costs a fifth of its time
    try:
        services = read_services()
        environments = read_environments()
        check_quota(environments, services)
        delivery = read_pipeline(environments)
    except (InvalidService, InvalidSettings) as error:
        sys.exit(str(error))
    # Stack traces name the temporary folder of the run: no two would write the same bytes.
    app = cdk.App(stack_traces=False, context={"aws:cdk:disable-creation-stack-traces": True})
    for account in guarded_accounts(environments, delivery).values():
        GuardsStack(app, account=account)
    delivered = {stage.environment for stage in delivery.stages} if delivery else set[str]()
    for environment in environments:
        if environment.name not in delivered:
            EnvironmentStage(app, environment=environment, services=services)
    if delivery:
        ours = [environment for environment in environments if environment.name in delivered]
        pipeline = PipelineStack(
            app,
            PIPELINE,
            settings=delivery,
            architecture=ours[0].compute.architecture,
            regions={e.account.region for e in ours} | {e.backup.copy_region for e in ours if e.backup.copy_region},
        )
        # Part of the pipeline's own stack: each environment is synthesized once.
        pipeline.deploy(EnvironmentStage(pipeline, environment=e, services=services) for e in ours)
    app.synth()


if __name__ == "__main__":
    main()
