"""What a check is, and what it may ask."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from infra.delivery.settings import Pipeline
from infra.preflight.answers import Answer
from infra.preflight.aws import Aws
from infra.preflight.name_servers import public_name_servers
from infra.services import Service
from infra.settings import PIPELINE, Environment


@dataclass(frozen=True)
class Place:
    """An account that something is deployed to, known to ``make`` as ``name``; ``regions`` have to be bootstrapped, the
    first of them is where it lives, and ``trusted`` is the account of the pipeline that deploys to it."""

    name: str
    account: str
    regions: tuple[str, ...]
    trusted: str | None = None


class Located(Protocol):
    """What there is to ask about any place."""

    @property
    def aws(self) -> Aws:
        """Its account."""
        ...

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline, where there is one."""
        ...

    @property
    def place(self) -> Place:
        """Where that is."""
        ...


@dataclass(frozen=True)
class PipelineInquiry:
    """The pipeline, and the account that it is to live in."""

    pipeline: Pipeline
    aws: Aws
    environments: Sequence[Environment]

    @property
    def place(self) -> Place:
        """The account, with every region that the pipeline keeps something in."""
        names = {stage.environment for stage in self.pipeline.stages}
        reached = [e for e in self.environments if e.name in names]
        regions = [r for e in reached for r in (e.account.region, e.backup.copy_region) if r]
        account = self.pipeline.account
        return Place(PIPELINE, account.id, tuple(dict.fromkeys((account.region, *regions))))


@dataclass(frozen=True)
class Inquiry:
    """An environment, and the account that it is to be deployed to.

    ``fix`` allows to make service-linked roles, after which ``wait`` passes the seconds until they can be used.
    ``name_servers`` asks the internet for those of a domain, and is ``None`` where it cannot be asked.
    """

    environment: Environment
    services: Mapping[str, Service]
    aws: Aws
    pipeline: Pipeline | None = None
    fix: bool = False
    wait: Callable[[float], None] = time.sleep
    name_servers: Callable[[str], set[str] | None] = public_name_servers

    @property
    def place(self) -> Place:
        """The account, with the region of the copies of backups."""
        environment, pipeline = self.environment, self.pipeline
        regions = tuple(r for r in (environment.account.region, environment.backup.copy_region) if r)
        delivered = {stage.environment for stage in pipeline.stages} if pipeline else set[str]()
        trusted = pipeline.account.id if pipeline and environment.name in delivered else None
        return Place(environment.name, environment.account.id, regions, trusted)


Asked_contra = TypeVar("Asked_contra", contravariant=True)


@dataclass(frozen=True)
class Check(Generic[Asked_contra]):
    """``ask`` yields answers; what it raises of ``AwsError`` is an answer too, after those that it has given."""

    title: str
    ask: Callable[[Asked_contra], Iterable[Answer]]
