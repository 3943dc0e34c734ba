"""All templates of an assembly as one model, in each world that its conditions allow.

A resource under a condition is taken as there. A *value* that a condition decides (`Fn::If`) is looked at both ways:
each way is a world, and a fact of any world is a fact.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias, cast

from infra.assurance.model import identity
from infra.assurance.model.assembly import Json, Stack, read_assembly
from infra.assurance.model.intrinsics import conditions_used, resolve
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refusals, Refused

World: TypeAlias = Mapping[tuple[str, str], bool]
"""Which conditions hold, by template file and name."""

MAX_CONDITIONS: Final = 6
"""That decide values: each doubles the worlds."""


@dataclass(eq=False)
class Scope:
    """One template of a model: what its names lead to (`intrinsics.Names`)."""

    model: "Model"
    stack: Stack
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
    _resolving: set[str] = field(default_factory=set[str])

    def ref(self, name: str) -> Json:
        """`Ref` of a resource or a parameter."""
        if name in self.resources:
            with self._once(name):
                return self.resources[name].ref
        return self._parameter(name)

    def attribute(self, name: str, attribute: str) -> Json:
        """`Fn::GetAtt`, of a nested stack its output."""
        resource = self.resources[name]
        if resource.type == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            inner = self.model.nested(self, name)
            output = inner.stack.template["Outputs"][attribute.removeprefix("Outputs.")]
            return resolve(output["Value"], inner, resource.name)
        with self._once(name):
            return identity.attribute(resource, attribute)

    def imported(self, name: str) -> Json:
        """What a stack of the same account and region exports under the name."""
        scope, value = self.model.exports[self.stack.account, self.stack.region, name]
        return resolve(value, scope, f"export {name}")

    def condition(self, name: str) -> bool:
        """Whether the condition holds in the model's world."""
        return self.model.world.get((str(self.stack.file), name), True)

    def _parameter(self, name: str) -> Json:
        parameter = self.stack.template["Parameters"][name]
        if self.stack.parent:
            outer, logical_id = self.stack.parent
            given = self.model.scopes[outer].resources[logical_id].properties.get("Parameters", {})
            if name in given:
                return given[name]
        if parameter["Type"].startswith("AWS::SSM::"):
            return identity.unknown(f"SSM parameter {parameter.get('Default', name)}")
        if "Default" not in parameter:
            raise Refused(
                "is a parameter without a default: its value is not in the assembly",
                where=f"parameter {name}",
                template=self.stack.where,
            )
        default = parameter["Default"]
        return default.split(",") if "List" in parameter["Type"] and isinstance(default, str) else default

    @contextmanager
    def _once(self, name: str) -> Generator[None]:
        """Refuses a resource whose name depends on itself, which would never end."""
        if name in self._resolving:
            raise self.resources[name].refuse("refers to itself")
        self._resolving.add(name)
        try:
            yield
        finally:
            self._resolving.discard(name)


class Model:
    """The resources of an assembly in one world, and what was refused while they were read."""

    def __init__(self, stacks: tuple[Stack, ...], world: World, refusals: Refusals) -> None:
        self.world = world
        self.refusals = refusals
        self.scopes = {stack: Scope(self, stack) for stack in stacks}
        self.exports: dict[tuple[str, str, str], tuple[Scope, Json]] = {}
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        for scope in self.scopes.values():
            self._read(scope)
        for scope in self.scopes.values():
            with refusals.collected():
                self._read_exports(scope)

    @property
    def resources(self) -> Iterator[Resource]:
        """Every resource, a template after the other."""
        return (resource for scope in self.scopes.values() for resource in scope.resources.values())

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of the types, in the order of the types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]

    def find(self, value: object, *types: str, near: Resource | None = None) -> Resource | None:
        """The resource that a value names by its `Ref`, its ARN or its `Id`, among the types (or among all).

        Environments give the same names to their own resources: with `near`, a name (an ARN is no name) leads only
        within that resource's account, and first within its region.
        """
        found = self._by_identity.get(value, ()) if isinstance(value, str) else ()
        found = [resource for resource in found if not types or resource.type in types]
        if near is not None and not cast("str", value or "").startswith("arn:"):
            home = near.stack
            found = [resource for resource in found if resource.stack.account == home.account]
            found.sort(key=lambda resource: resource.stack.region != home.region)
        return found[0] if found else None

    def nested(self, scope: Scope, logical_id: str) -> Scope:
        """The scope of a nested stack."""
        return next(inner for stack, inner in self.scopes.items() if stack.parent == (scope.stack, logical_id))

    @cached_property
    def _by_identity(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            with self.refusals.collected():
                for value in {resource.ref, resource.arn, str(identity.attribute(resource, "Id"))}:
                    found[value].append(resource)
        return found

    def _read(self, scope: Scope) -> None:
        template, where = scope.stack.template, scope.stack.where
        for macro in _listed(template.get("Transform", [])):
            self.refusals.add(Refused(f"is rewritten by the macro {macro} when it is deployed", where=where))
        for logical_id, body in template.get("Resources", {}).items():
            if logical_id.startswith("Fn::") or not isinstance(body, dict) or "Type" not in body:
                self.refusals.add(Refused("is no resource", where=logical_id, template=where))
                continue
            resource = Resource(scope, logical_id, cast("Mapping[str, Json]", body))
            scope.resources[logical_id] = resource
            self._by_type[resource.type].append(resource)

    def _read_exports(self, scope: Scope) -> None:
        for name, output in scope.stack.template.get("Outputs", {}).items():
            if "Export" not in output:
                continue
            exported = resolve(output["Export"]["Name"], scope, f"output {name}")
            self.exports[scope.stack.account, scope.stack.region, exported] = (scope, output["Value"])


def read_models(folder: Path) -> tuple[Model, ...]:
    """The model of a cloud assembly in each of its worlds, the one in which all conditions hold first.

    Raises:
        Refused: the folder is no assembly, or more conditions decide values than can be looked at.
    """
    stacks = read_assembly(folder)
    refusals = Refusals()
    return tuple(Model(stacks, world, refusals) for world in _worlds(stacks))


def _worlds(stacks: tuple[Stack, ...]) -> list[World]:
    conditions = sorted(
        {
            (str(stack.file), name)
            for stack in stacks
            for section in ("Resources", "Outputs")
            for name in conditions_used(stack.template.get(section, {}))
        }
    )
    if len(conditions) > MAX_CONDITIONS:
        names = ", ".join(name for _, name in conditions)
        raise Refused(f"{len(conditions)} conditions decide values, at most {MAX_CONDITIONS} are tried: {names}",
                      where=str(stacks[0].file.parent))  # fmt: skip
    return [dict(zip(conditions, values, strict=True)) for values in product((True, False), repeat=len(conditions))]


def _listed(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [value]
