"""Networks with other ways out than those of the environments that are shipped."""

import aws_cdk as cdk

from infra.network.stack import NetworkStack
from infra.operations.stack import OperationsStack
from infra.services import read_services
from tests.infra.network.test_egress import VARIANTS, environment_of


def make(app: cdk.App) -> None:
    """A stage for each variant, with the stacks that its changes are about."""
    for name, changes in VARIANTS.items():
        environment = environment_of(changes)
        account = environment.account
        stage = cdk.Stage(app, name, env=cdk.Environment(account=account.id, region=account.region))
        NetworkStack(stage, "Network", environment=environment, services=read_services())
        if "account" in changes:
            OperationsStack(stage, "Operations", environment=environment)
