"""cdk-nag judges everything that is synthesized; what it finds is accepted by the register, or fails the synth."""

import os
from collections.abc import Sequence

import aws_cdk as cdk
from constructs import IConstruct

from infra.delivery.settings import Pipeline
from infra.guards.accounts import GuardedAccount
from infra.guards.acknowledgements import (
    Acknowledged,
    Values,
    read_register,
    values_of_environment,
    values_of_guards,
    values_of_pipeline,
)
from infra.settings import Environment


class Nag:
    """The rules of AWS Solutions and of NIST 800-53 R5, over the whole application.

    Each part has to be told what is accepted in it before it is synthesized. Nothing is judged with the command's
    ``--no-validation``, of which it tells the library, too, by this variable. Nothing is accepted then either, which
    is a quarter of all calls to the library; what would be deployed is the same.
    """

    def __init__(self, app: cdk.App) -> None:
        """Reads the register.

        Raises:
            InvalidSettings: something in it is unknown, missing or impossible.
        """
        self._register = read_register()
        self._judges = os.environ.get("CDK_VALIDATION") != "false"
        if self._judges:
            from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks  # noqa: PLC0415  # half a second

            cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks())

    def environment(self, stage: IConstruct, environment: Environment) -> None:
        """Accept what the register says of an environment."""
        if self._judges:
            values = values_of_environment(environment)
            acknowledge(stage, self._register.environment, values, protected=environment.protected)

    def pipeline(self, app: cdk.App, pipeline: Pipeline, account: GuardedAccount) -> None:
        """Accept what it says of the pipeline, which lives in ``account``."""
        if self._judges:
            acknowledge(app, self._register.pipeline, values_of_pipeline(pipeline, account))

    def guards(self, stack: IConstruct, account: GuardedAccount) -> None:
        """Accept what it says of the guards of ``account``."""
        if self._judges:
            acknowledge(stack, self._register.guards, values_of_guards(account))


def acknowledge(scope: IConstruct, rows: Sequence[Acknowledged], values: Values, *, protected: bool = True) -> None:
    """Accept what ``rows`` say of the resources below ``scope``, as far as they are there in these settings."""
    accepted: dict[str, list[cdk.Acknowledgment]] = {}
    for row in rows:
        if row.only != "unprotected" or not protected:
            for rule, path in row.accepted(values):
                accepted.setdefault(path, []).append(cdk.Acknowledgment(id=rule, reason=row.reason))
    found: dict[str, IConstruct | None] = {"": scope}
    for path, acknowledgements in accepted.items():
        if resource := _find(path, found):
            cdk.Validations.of(resource).acknowledge(*acknowledgements)


def _find(path: str, found: dict[str, IConstruct | None]) -> IConstruct | None:
    """The construct at ``path``; ``found`` keeps each, because every question costs a call to another process."""
    if path not in found:
        parent, _, name = path.rpartition("/")
        scope = _find(parent, found)
        found[path] = scope.node.try_find_child(name) if scope else None
    return found[path]
