"""What each service needs, read from ``services/<name>/service.toml``.

The ECS task definitions and the processes on one machine are made of the same description, so that a variable
that is missing shows on the laptop and not first in the cloud. Imports no CDK: ``local`` reads it too.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

ROOT = Path(__file__).resolve().parent.parent / "services"

Where = Literal["cloud", "local"]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class InvalidService(ValueError):
    """A ``service.toml`` says something that cannot be; names the file, the keys and what is allowed."""


class MissingValue(LookupError):
    """A variable of a service has no value where the service is to run."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Variable(_Table):
    """One environment variable: ``source`` names what it is (``users.host``), never a value of its own."""

    source: str = Field(alias="from", pattern=r"^[a-z_]+\.[a-z_]+$")
    where: Where | None = None
    """The only place that has it; ``None`` is both."""
    optional: bool | Where = False
    """Left out of the environment where the source has no value: everywhere, or in one place alone."""

    def may_be_missing(self, where: Where) -> bool:
        """Whether a process does without it there."""
        return self.optional in (True, where)


class Edge(_Table):
    """What of a public service people can reach, through the load balancer and its firewall."""

    paths: tuple[Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./-]*\*?$", max_length=128)], ...] = Field(
        default=(), max_length=3
    )
    """Paths, or beginnings of paths that end with ``*``; everything else is answered 404 by the load balancer. A
    listener rule has three at the most (Elastic Load Balancing guide, "Condition types for listener rules")."""
    words: tuple[Annotated[str, Field(pattern=r"^(/([A-Za-z0-9_.-]+|\{[a-z_]+\}))+$")], ...] = ()
    """Routes that take what people wrote themselves, a message or a password; ``{…}`` stands for an id."""

    def admits(self, path: str) -> bool:
        """Whether the load balancer lets ``path`` through."""
        return any(path.startswith(p[:-1]) if p.endswith("*") else path == p for p in self.paths)


class Size(_Table):
    """CPU units (1024 = one vCPU) and memory of a task."""

    cpu: Literal[256, 512, 1024, 2048, 4096]
    memory_mib: int = Field(ge=512, le=30720)


class Health(_Table):
    """Paths that tell whether the process lives and whether its dependencies do, and how often to ask."""

    live: str = Field(pattern="^/")
    ready: str = Field(pattern="^/")
    interval_seconds: int = Field(ge=5, le=300)
    timeout_seconds: int = Field(ge=2, le=120)
    healthy_count: int = Field(ge=2, le=10)
    unhealthy_count: int = Field(ge=2, le=10)
    start_seconds: int = Field(ge=1, le=300)
    """From start to the first answer, at most."""


class Grace(_Table):
    """What happens between SIGTERM and the end, in seconds counted from SIGTERM.

    Until ``deregistration_seconds`` the process serves as before, because the load balancer still sends; then it
    refuses what is new and finishes what runs until ``drain_seconds``; at ``stop_seconds`` it is killed
    (Fargate's ``stopTimeout``, 120 at most).
    """

    deregistration_seconds: int = Field(ge=0)
    drain_seconds: int
    stop_seconds: int = Field(le=120)

    @property
    def in_flight_seconds(self) -> int:
        """How long the load balancer lets requests run on that a task had when it was deregistered (its
        *deregistration delay*): longer than the task itself takes to end them."""
        return self.stop_seconds

    @model_validator(mode="after")
    def _in_order(self) -> "Grace":
        if not self.deregistration_seconds < self.drain_seconds < self.stop_seconds:
            raise ValueError("deregistration_seconds < drain_seconds < stop_seconds must hold")
        return self


class Task(_Table):
    """A one-off run of the service's image: at each deployment, or on a schedule (an EventBridge expression)."""

    purpose: str
    module: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")
    when: str = Field(pattern=r"^(deploy|rate\(.+\)|cron\(.+\))$")
    variables: dict[VariableName, Variable] = {}


class Service(_Table):
    """Everything a service needs to run, wherever it runs."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    purpose: str
    module: str = Field(pattern=r"^[a-z_]+$")
    port: int = Field(ge=1024, le=65535)
    public: bool
    stores: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    model: bool = False
    edge: Edge = Edge()
    untimed: tuple[Annotated[str, Field(pattern=r"^/[a-z_]+$")], ...] = ()
    """How the routes end whose time is not the service's own: the model writes, or a person downloads. No alarm takes
    them for slow."""
    size: Size
    health: Health
    grace: Grace
    variables: dict[VariableName, Variable]
    secrets: dict[VariableName, Variable] = {}
    tasks: dict[str, Task] = {}

    @model_validator(mode="after")
    def _reachable(self) -> "Service":
        if self.public != bool(self.edge.paths):
            raise ValueError("edge.paths must be given where public is true, and left out where it is not")
        if self.edge.admits(self.health.ready):
            raise ValueError(f"edge.paths must not have {self.health.ready}, which tells of the service's dependencies")
        if closed := [path for path in self.edge.words if not self.edge.admits(path)]:
            raise ValueError(f"edge.words must be within edge.paths, unlike {', '.join(closed)}")
        return self

    @property
    def folder(self) -> Path:
        """The service's folder in the checkout."""
        return ROOT / self.name

    def environment(self, where: Where, values: Mapping[str, str], task: str | None = None) -> dict[str, str]:
        """The environment of the service, or of one of its tasks, from what each source is worth.

        Raises:
            MissingValue: sources without a value, all of them in one message.
        """
        variables = self.variables | (self.tasks[task].variables if task else {})
        return self._resolve(variables, where, values)

    def secret_sources(self, where: Where, values: Mapping[str, str]) -> dict[str, str]:
        """The secrets the process finds in its environment: variable name to what its source is worth.

        Raises:
            MissingValue: sources without a value, all of them in one message.
        """
        return self._resolve(self.secrets, where, values)

    def _resolve(self, variables: Mapping[str, Variable], where: Where, values: Mapping[str, str]) -> dict[str, str]:
        wanted = {name: v for name, v in variables.items() if v.where in (None, where)}
        missing = [
            f"{n} (from {v.source})"
            for n, v in wanted.items()
            if v.source not in values and not v.may_be_missing(where)
        ]
        if missing:
            raise MissingValue(f"{self.name} needs {', '.join(missing)}: nothing in the {where} environment gives it")
        return {name: values[v.source] for name, v in wanted.items() if v.source in values}


def read_service(path: Path) -> Service:
    """One ``service.toml``, validated.

    Raises:
        InvalidService: the file is not TOML or says something that cannot be.
    """
    try:
        return Service.model_validate(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise InvalidService(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InvalidService(f"{path}:\n" + "\n".join(lines)) from error


def read_services(root: Path = ROOT) -> dict[str, Service]:
    """All services by name, those that are called before those that call them.

    Raises:
        InvalidService: a file is wrong, a name is not its folder's, a service that is to be called does not exist,
            or two call each other.
    """
    found = {path.parent.name: read_service(path) for path in sorted(root.glob("*/service.toml"))}
    ordered: dict[str, Service] = {}

    def place(name: str, callers: tuple[str, ...]) -> None:
        if name in callers:
            raise InvalidService(f"services call each other in a circle: {' → '.join((*callers, name))}")
        if name not in found:
            raise InvalidService(f"{callers[-1]} calls {name}, which has no service.toml under {root}")
        if name not in ordered:
            for called in found[name].services:
                place(called, (*callers, name))
            ordered[name] = found[name]

    for folder, service in found.items():
        if service.name != folder:
            raise InvalidService(f"{root / folder / 'service.toml'}: name is {service.name!r}, not {folder!r}")
        place(folder, ())
    return ordered
