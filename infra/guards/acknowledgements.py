"""Why a finding of a rule is accepted: one register, ``infra/acknowledgements.toml``, told to the CDK in a synth.

A row is for rules and resources named one by one, for a reason, and somebody answers for it until a day. A row that
accepts nothing fails a test, or ``make scan``. That its day has passed is no matter of a synth, which reads no clock:
``python -m infra.assurance check``, ``make scan`` and ``make evidence`` tell it and fail. Imports no CDK.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from infra.delivery.settings import Pipeline, read_pipeline
from infra.guards import services
from infra.guards.accounts import GuardedAccount, guarded_accounts
from infra.setting_tables import Table
from infra.settings import Environment, read_environments, read_file

REGISTER = Path(__file__).parents[1] / "acknowledgements.toml"

Values = Mapping[str, Sequence[str]]
"""What ``{name}`` stands for in a row: one thing or several."""


class Acknowledged(Table):
    """Findings that are accepted for one reason."""

    rules: tuple[str, ...] = Field(min_length=1)
    """Who judges, and its name for it: ``AwsSolutions::AwsSolutions-OS3``, as ``make synth`` or ``make scan`` says."""
    resources: tuple[Annotated[str, Field(pattern=r"^[^*?]+$")], ...] = Field(min_length=1)
    """Their construct paths: below the environment, the application or the stack of the guards."""
    only: Literal["unprotected"] | None = None
    """The environments in which they are accepted; left out: all."""
    shipped: bool = True
    """``false``: no environment has them as shipped, only other settings bring them."""
    reason: str = Field(min_length=20)
    """A sentence for somebody who was not there."""
    owner: str = Field(pattern=r"^(security|operations)$")
    """Who answers for it."""
    expires: date
    """The last day it counts; then somebody looks at it again."""

    def accepted(self, values: Values) -> Iterator[tuple[str, str]]:
        """Rule and resource of each finding."""
        for rule, resource in product(self.rules, self.resources):
            yield from _filled(rule, resource, values)


class Register(Table):
    """All of them."""

    environment: tuple[Acknowledged, ...]
    """In every environment: ``{account}``, ``{region}``, ``{environment}``, ``{copy_region}``,
    ``{lattice_prefix_list}``."""
    pipeline: tuple[Acknowledged, ...]
    """In the pipeline: ``{account}``, ``{source}``, ``{delivered}`` and ``{approved}`` (environments) are parts of its
    paths, ``{elsewhere}`` the other regions that it deploys to."""
    guards: tuple[Acknowledged, ...]
    """In the guards of each account: ``{account}``, ``{service}``, ``{stage}``."""


def read_register(path: Path = REGISTER) -> Register:
    """The register.

    Raises:
        InvalidSettings: something in it is unknown, missing or impossible.
    """
    return read_file(path, Register)


def values_of_environment(environment: Environment) -> Values:
    """What names in the register's rows for environments stand for."""
    return {
        "account": [environment.account.id],
        "region": [environment.account.region],
        "environment": [environment.name],
        "copy_region": [environment.backup.copy_region] if environment.backup.copy_region else [],
        "lattice_prefix_list": [environment.network.lattice_prefix_list],
    }


def values_of_pipeline(pipeline: Pipeline, account: GuardedAccount) -> Values:
    """What names in the register's rows for the pipeline stand for."""
    return {
        "account": [pipeline.account.id],
        "source": [pipeline.source.repository.replace("/", "_")],
        "delivered": [stage.environment for stage in pipeline.stages],
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


def idle(
    register: Register, accepted: Collection[tuple[str, str]], *, judges: Collection[str]
) -> list[tuple[str, str]]:
    """Rule and resource of every row for the rules of ``judges`` that accepts none of the findings in ``accepted``.

    A finding is a rule and the whole path of a resource. Environments and pipeline are those of the settings.

    Raises:
        InvalidSettings: they are wrong.
    """
    environments = read_environments()
    pipeline = read_pipeline(environments)
    accounts = guarded_accounts(environments, pipeline)
    delivered = {stage.environment for stage in pipeline.stages} if pipeline else set[str]()
    places: list[tuple[tuple[Acknowledged, ...], list[tuple[str, Values]]]] = [
        (
            register.environment,
            [
                (f"pipeline/{e.name}/" if e.name in delivered else f"{e.name}/", values_of_environment(e))
                for e in environments
            ],
        ),
        (
            register.pipeline,
            [("", values_of_pipeline(pipeline, accounts[pipeline.account.id]))] if pipeline else [],
        ),
        (register.guards, [(f"{account.stack}/", values_of_guards(account)) for account in accounts.values()]),
    ]
    return [
        (rule, resource)
        for rows, wheres in places
        for row in rows
        if row.shipped
        for rule, resource in product(row.rules, row.resources)
        if rule.partition("::")[0] in judges
        and not any(
            (name, f"{below}{path}") in accepted
            for below, values in wheres
            for name, path in _filled(rule, resource, values)
        )
    ]


def _filled(rule: str, resource: str, values: Values) -> Iterator[tuple[str, str]]:
    """Both with everything that their ``{names}`` stand for, each name with the same in both."""
    names = sorted({*re.findall(r"\{(\w+)\}", f"{rule} {resource}")})
    for chosen in product(*(values[name] for name in names)):
        value = dict(zip(names, chosen, strict=True))
        yield rule.format_map(value), resource.format_map(value)
