"""What an operator decides about the pipeline, read from ``environments/pipeline.toml``.

Without that file there is no pipeline, and ``make deploy`` is how every environment is deployed. Imports no CDK: the
preflight reads it too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from infra.setting_tables import REGION, Email, Table
from infra.settings import PIPELINE, ROOT, Environment, InvalidSettings, read_file


class Tooling(Table):
    """Where the pipeline lives: an account of its own, so that no environment can change what is deployed to it."""

    id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits in quotes."""
    region: str = Field(pattern=REGION)
    """AWS region, like ``us-east-1``."""


class Source(Table):
    """What is deployed."""

    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    """GitHub repository, ``owner/name``."""
    branch: str = Field(default="main", min_length=1)
    """Every commit on it is deployed."""
    connection_arn: str = Field(
        pattern=r"^arn:aws:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$"
    )
    """The connection to GitHub (AWS CodeConnections), in the pipeline's own account. Somebody has to make it by hand,
    because it works only after a handshake in the console: Developer Tools, Settings, Connections."""


class Delivered(Table):
    """One environment of the pipeline."""

    environment: str
    """Its name: ``environments/<name>.toml``."""
    approval: bool = False
    """Somebody has to say yes before anything of it changes."""


class Notifications(Table):
    """Who is told."""

    emails: tuple[Email, ...] = Field(min_length=1)
    """Of what failed and where, and that an approval is waited for; each has to confirm once, by a link from AWS."""


class Logs(Table):
    """What the builds write down."""

    retention_days: Literal[14, 30, 60, 90, 120, 150, 180, 365] = 90
    """How long it is kept; the builds' artifacts too."""


class Pipeline(Table):
    """From a commit to every environment, one after the other."""

    account: Tooling
    source: Source
    notifications: Notifications
    stages: tuple[Delivered, ...] = Field(min_length=1)
    """In the order in which they are deployed."""
    logs: Logs = Logs()

    @field_validator("source")
    @classmethod
    def _connected_here(cls, source: Source, info: ValidationInfo) -> Source:
        account: Tooling | None = info.data.get("account")
        if account and source.connection_arn.split(":")[3:5] != [account.region, account.id]:
            raise ValueError(
                f"connection_arn = {source.connection_arn} must be in account {account.id} and region {account.region}"
            )
        return source

    @field_validator("stages")
    @classmethod
    def _once(cls, stages: tuple[Delivered, ...]) -> tuple[Delivered, ...]:
        names = [stage.environment for stage in stages]
        if len(set(names)) < len(names):
            raise ValueError(f"must name each environment once, not {', '.join(names)}")
        return stages


def read_pipeline(environments: Sequence[Environment], root: Path = ROOT) -> Pipeline | None:
    """The settings of the pipeline, or ``None`` where there is none.

    Raises:
        InvalidSettings: something in the file is unknown, missing or impossible, or it names an environment that is
            not one of ``environments``.
    """
    path = root / f"{PIPELINE}.toml"
    if not path.is_file():
        return None
    pipeline = read_file(path, Pipeline)
    known = {environment.name: environment for environment in environments}
    wrong = [
        f'  stages.{n}.environment = "{stage.environment}": must be one of {", ".join(known)}'
        for n, stage in enumerate(pipeline.stages)
        if stage.environment not in known
    ]
    architectures = {known[s.environment].compute.architecture for s in pipeline.stages if s.environment in known}
    if len(architectures) > 1:
        wrong.append("  stages: all must have the same compute.architecture, on which their images are built")
    if wrong:
        raise InvalidSettings("\n".join([f"{path}:", *wrong]))
    return pipeline
