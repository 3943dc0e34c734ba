"""Why a finding of a rule is accepted: one register, read from ``infra/guards/acknowledgements.toml``.

A row is for rules and resources named one by one. A test fails on a row that accepts nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Literal

import aws_cdk as cdk
from constructs import IConstruct
from pydantic import Field

from infra.setting_tables import Table
from infra.settings import read_file

REGISTER = Path(__file__).with_name("acknowledgements.toml")

Values = Mapping[str, Sequence[str]]
"""What ``{name}`` stands for in a row: one thing or several."""


class Acknowledged(Table):
    """Findings that are accepted for one reason."""

    rules: tuple[str, ...] = Field(min_length=1)
    """As the report of ``make synth`` names them: ``AwsSolutions::AwsSolutions-OS3``."""
    resources: tuple[str, ...] = Field(min_length=1)
    """Their construct paths: below the environment, the application or the stack of the guards."""
    only: Literal["unprotected"] | None = None
    """The environments in which they are accepted; left out: all."""
    shipped: bool = True
    """``false``: no environment has them as shipped, only other settings bring them."""
    reason: str = Field(min_length=20)

    def accepted(self, values: Values) -> Iterator[tuple[str, str]]:
        """Rule and resource of each finding."""
        for rule, resource in product(self.rules, self.resources):
            yield from _filled(rule, resource, values)


class Register(Table):
    """All of them."""

    environment: tuple[Acknowledged, ...]
    """In every environment: ``{account}``, ``{region}``, ``{environment}``, ``{copy_region}``."""
    pipeline: tuple[Acknowledged, ...]
    """In the pipeline: ``{account}``, ``{source}`` and ``{approved}`` are parts of its paths, ``{elsewhere}`` the
    other regions that it deploys to."""
    guards: tuple[Acknowledged, ...]
    """In the guards of each account: ``{account}``, ``{service}``, ``{stage}``."""


def read_register(path: Path = REGISTER) -> Register:
    """The register.

    Raises:
        InvalidSettings: something in it is unknown, missing or impossible.
    """
    return read_file(path, Register)


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


def _filled(rule: str, resource: str, values: Values) -> Iterator[tuple[str, str]]:
    """Both with everything that their ``{names}`` stand for, each name with the same in both."""
    names = sorted({*re.findall(r"\{(\w+)\}", f"{rule} {resource}")})
    for chosen in product(*(values[name] for name in names)):
        value = dict(zip(names, chosen, strict=True))
        yield rule.format_map(value), resource.format_map(value)


def _find(path: str, found: dict[str, IConstruct | None]) -> IConstruct | None:
    """The construct at ``path``; ``found`` keeps each, because every question costs a call to another process."""
    if path not in found:
        parent, _, name = path.rpartition("/")
        scope = _find(parent, found)
        found[path] = scope.node.try_find_child(name) if scope else None
    return found[path]
