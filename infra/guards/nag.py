"""cdk-nag judges everything that is synthesized; what it finds is accepted by the register, or fails the synth."""

import os

import aws_cdk as cdk
from constructs import IConstruct

from infra.delivery.settings import Pipeline
from infra.guards import services
from infra.guards.accounts import GuardedAccount
from infra.guards.acknowledgements import Values, acknowledge, read_register
from infra.settings import Environment


def values_of_environment(environment: Environment) -> Values:
    """What names in the register's rows for environments stand for."""
    return {
        "account": [environment.account.id],
        "region": [environment.account.region],
        "environment": [environment.name],
        "copy_region": [environment.backup.copy_region] if environment.backup.copy_region else [],
    }


def values_of_pipeline(pipeline: Pipeline, account: GuardedAccount) -> Values:
    """What names in the register's rows for the pipeline stand for."""
    return {
        "account": [pipeline.account.id],
        "source": [pipeline.source.repository.replace("/", "_")],
        "approved": [stage.environment for stage in pipeline.stages if stage.approval],
        "elsewhere": [region for region in account.regions if region != pipeline.account.region],
    }


def values_of_guards(account: GuardedAccount) -> Values:
    """What names in the register's rows for guards stand for."""
    return {
        "account": [account.id],
        "service": [*account.services, *services.CALLED, "bedrock", "sts"],
        "stage": account.stages,
    }


class Nag:
    """The rules of AWS Solutions and of NIST 800-53 R5, over the whole application.

    Each part has to be told what is accepted in it before it is synthesized. Nothing is judged with the command's
    ``--no-validation``, of which it tells the library, too, by this variable; what is written is the same.
    """

    def __init__(self, app: cdk.App) -> None:
        """Reads the register.

        Raises:
            InvalidSettings: something in it is unknown, missing or impossible.
        """
        self._register = read_register()
        if os.environ.get("CDK_VALIDATION") != "false":
            from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks  # noqa: PLC0415  # half a second

            cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks())

    def environment(self, stage: IConstruct, environment: Environment) -> None:
        """Accept what the register says of an environment."""
        values = values_of_environment(environment)
        acknowledge(stage, self._register.environment, values, protected=environment.protected)

    def pipeline(self, app: cdk.App, pipeline: Pipeline, account: GuardedAccount) -> None:
        """Accept what it says of the pipeline, which lives in ``account``."""
        acknowledge(app, self._register.pipeline, values_of_pipeline(pipeline, account))

    def guards(self, stack: IConstruct, account: GuardedAccount) -> None:
        """Accept what it says of the guards of ``account``."""
        acknowledge(stack, self._register.guards, values_of_guards(account))
