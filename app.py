"""The CDK application: run by the ``cdk`` command, which reads ``cdk.json`` first."""

import gc
import sys

import aws_cdk as cdk

from infra.services import InvalidService, read_services
from infra.settings import InvalidSettings, read_environments
from infra.sizes import check_quota
from infra.stage import EnvironmentStage


def main() -> None:
    """Synthesize every environment; wrong settings end it with what is wrong, and nothing else."""
    gc.disable()  # a short process that keeps nearly all it makes: collecting costs a fifth of its time
    try:
        services = read_services()
        environments = read_environments()
        check_quota(environments, services)
    except (InvalidService, InvalidSettings) as error:
        sys.exit(str(error))
    # Stack traces name the temporary folder of the run: no two would write the same bytes.
    app = cdk.App(stack_traces=False, context={"aws:cdk:disable-creation-stack-traces": True})
    for environment in environments:
        EnvironmentStage(app, environment=environment, services=services)
    app.synth()


if __name__ == "__main__":
    main()
