"""One-off tasks: ECS task definitions that something runs in a VPC, whoever it is that calls `RunTask`.

A rule, a schedule, a state machine, a pipe, a custom resource, a function's environment: wherever a table names a
task definition and, in it or below, subnets or security groups, that is a run of the task in them.
<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html>
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.interfaces import Interface, placed
from infra.assurance.network.kinds import KINDS, Kind
from infra.assurance.network.places import Places

_TASK: Final = Kind((), (), ipv6_is_public=True)
_DEFINITION: Final = "AWS::ECS::TaskDefinition"
_NAMES_DEFINITION: Final = re.compile(r"task_?def", re.IGNORECASE)
_SUBNET_ID: Final = re.compile(r"subnet-[0-9a-f]+")
_GROUP_ID: Final = re.compile(r"sg-[0-9a-f]+")
_PARTS: Final = re.compile(r"[,\s]+")


class _Run:
    def __init__(self, definitions: list[str]) -> None:
        self.definitions = definitions
        self.subnets: list[str] = []
        self.groups: list[str] = []
        self.public = False


def tasks(model: Model, where: Places) -> Iterator[Interface]:
    """The interfaces of one-off tasks, each named after its task definition."""
    reader = _Reader(model, frozenset(vpc.default_group for vpc in where.vpcs.values()))
    hints = {one.logical_id.lower() for one in model.of_type(_DEFINITION)} | {"taskdef", "task_def"}
    for resource in model.resources:
        if resource.type == _DEFINITION or (resource.type in KINDS and resource.type.startswith("AWS::ECS::")):
            continue
        written = resource.written.lower()
        if not any(hint in written for hint in hints):
            continue
        with model.refusals.collected():
            for run in reader.runs(dict(resource.properties)):
                for definition in run.definitions:
                    named = _definition(model, resource, definition)
                    yield placed(
                        model, where, named or resource, _TASK, groups=run.groups, subnets=run.subnets,
                        public=run.public, name="" if named else f"task {definition}", run_by=resource,
                    )  # fmt: skip


class _Reader(NamedTuple):
    """Finds runs of tasks in a value, whatever its shape."""

    model: Model
    default_groups: frozenset[str]

    def runs(self, value: Json) -> Iterator[_Run]:
        """Tables in a value that name a task definition themselves, and places in themselves or below."""
        value = _read(value)
        if isinstance(value, dict):
            table = cast("dict[str, Json]", value)
            definitions = [text for key, text in table.items() if self._is_definition(key, text)]
            run = _Run(definitions)
            if definitions:
                self._gather(table, run)
            if run.subnets or run.groups:
                yield run
                return
        for inner in _inner(value):
            yield from self.runs(inner)

    def _gather(self, value: Json, run: _Run) -> None:
        value = _read(value)
        if isinstance(value, dict):
            for key, inner in cast("dict[str, Json]", value).items():
                if key.lower().replace("_", "") == "assignpublicip" and str(inner).upper() in ("ENABLED", "TRUE"):
                    run.public = True
        for inner in _inner(value):
            self._gather(inner, run)
        if isinstance(value, str):
            for part in (value, *_PARTS.split(value)):
                if _SUBNET_ID.fullmatch(part) or self.model.find(part, "AWS::EC2::Subnet"):
                    run.subnets.append(part)
                elif self._is_group(part):
                    run.groups.append(part)

    def _is_group(self, text: str) -> bool:
        known = text in self.default_groups or self.model.find(text, "AWS::EC2::SecurityGroup")
        return bool(known or _GROUP_ID.fullmatch(text))

    def _is_definition(self, key: str, value: Json) -> bool:
        if not isinstance(value, str) or is_unknown(value):
            return False
        return bool(_NAMES_DEFINITION.search(key) or self.model.find(value, _DEFINITION))


def _inner(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return cast("dict[str, Json]", value).values()
    return cast("list[Json]", value) if isinstance(value, list) else ()


def _definition(model: Model, resource: Resource, value: str) -> Resource | None:
    """The task definition of an ARN, or of a family, whose latest revision is then run."""
    if found := model.find(value, _DEFINITION):
        return found
    home = (resource.stack.account, resource.stack.region)
    family = value.rpartition("/")[2].partition(":")[0]
    for one in model.of_type(_DEFINITION):
        if (one.stack.account, one.stack.region) == home and one.value("Family") == family:
            return one
    return None


def _read(value: Json) -> Json:
    """A text that holds JSON, as a state machine's definition does, is what it holds."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return cast("Mapping[str, Json]", json.loads(value))
        except ValueError:
            return value
    return value
