"""All templates of an assembly as one model, in each world that its conditions allow.

A resource under a condition is taken as there. A *value* that a condition decides (`Fn::If`) is looked at both ways:
each way is a world, and a fact of any world is a fact.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from infra.assurance.model import identity
from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.model.conditions import World, worlds
from infra.assurance.model.files import Json, table
from infra.assurance.model.intrinsics import resolve
from infra.assurance.model.resource import Resource
from infra.assurance.model.scope import WRITER, Scope
from infra.assurance.model.template import flaws, resources
from infra.assurance.refusal import Refusals, Refused


class Model:
    """The resources of an assembly in one world, and what was refused while they were read."""

    def __init__(self, stacks: tuple[Stack, ...], world: World, refusals: Refusals) -> None:
        self.world = world
        self.refusals = refusals
        self.scopes = {stack: Scope(self, stack) for stack in stacks}
        self._nested = {scope.stack.parent: scope for scope in self.scopes.values() if scope.stack.parent}
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        for scope in self.scopes.values():
            self._read(scope)

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
        within that resource's account, and first within its stack, then its stage and its region. Without it, a name
        that leads to several accounts is refused.
        """
        if not isinstance(value, str):
            return None
        found = [found for found in self._by_identity.get(value, ()) if not types or found.type in types]
        if near is not None and not value.startswith("arn:"):
            home = near.stack
            found = [resource for resource in found if resource.stack.account == home.account]
            found.sort(key=lambda resource: _distance(resource.stack, home))
        elif len({resource.stack.account for resource in found}) > 1:
            names = ", ".join(resource.name for resource in found)
            what = f"is a name of several resources, and where it is meant is not asked: {names}"
            self.refusals.add(Refused(what, where=str(value)))
        return found[0] if found else None

    def is_shared(self, name: str) -> bool:
        """Whether more than one resource would have the name."""
        return self._names[name] > 1

    def nested(self, scope: Scope, logical_id: str) -> Scope:
        """The scope of a nested stack.

        Raises:
            Refused: its template is not in the assembly.
        """
        found = self._nested.get((scope.stack, logical_id))
        if found is None:
            raise scope.resources[logical_id].refuse("is a nested stack whose template could not be read")
        return found

    @cached_property
    def exports(self) -> Mapping[tuple[str, str, str], list[tuple[Scope, Json]]]:
        """What stacks export, as it is written, by account, region and name."""
        found: dict[tuple[str, str, str], list[tuple[Scope, Json]]] = defaultdict(list)
        for scope in self.scopes.values():
            stack = scope.stack
            with self.refusals.collected():
                for name in table(stack.template.get("Outputs", {}), "the section Outputs", where=stack.where):
                    with self.refusals.collected():
                        self._read_export(found, scope, name)
        return dict(found)

    @cached_property
    def written(self) -> Mapping[tuple[str, str, str], tuple[Scope, Json]]:
        """What the CDK carries to stacks in other regions, as it is written, by account, region and name."""
        found: dict[tuple[str, str, str], tuple[Scope, Json]] = {}
        for writer in self.of_type(WRITER):
            with self.refusals.collected():
                values = writer.part("WriterProps", "region"), writer.part("WriterProps", "exports")
                for name, value in table(values[1], "exports", where=writer.name).items():
                    found[writer.stack.account, str(values[0]), name] = (writer.scope, value)
        return found

    @cached_property
    def _names(self) -> Counter[str]:
        return Counter(resource.plain_name for resource in self.resources)

    @cached_property
    def _by_identity(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            with self.refusals.collected():
                for value in {resource.ref, resource.arn, str(identity.attribute(resource, "Id"))}:
                    found[value].append(resource)
        return found

    def _read(self, scope: Scope) -> None:
        stack = scope.stack
        for flaw in flaws(stack.template, stack.where, stack.paths):
            self.refusals.add(flaw)
        for logical_id, body in resources(stack.template):
            resource = Resource(scope, logical_id, body)
            scope.resources[logical_id] = resource
            self._by_type[resource.type].append(resource)

    def _read_export(
        self, found: dict[tuple[str, str, str], list[tuple[Scope, Json]]], scope: Scope, name: str
    ) -> None:
        stack, output = scope.stack, scope.entry("Outputs", name)
        if "Export" not in output:
            return
        export = table(output["Export"], "Export", where=f"output {name}", template=stack.where)
        if "Name" not in export or "Value" not in output:
            raise Refused("exports no value, or under no name", where=f"output {name}", template=stack.where)
        exported = resolve(export["Name"], scope, f"output {name}")
        if not isinstance(exported, str):
            raise Refused("is exported under a name that is no text", where=f"output {name}", template=stack.where)
        found[stack.account, stack.region, exported].append((scope, output["Value"]))


def read_models(folder: Path) -> tuple[Model, ...]:
    """The model of a cloud assembly in each of its worlds, the one in which most conditions hold first.

    What cannot be read or resolved stands in the models' `refusals`, which they share.

    Raises:
        Refused: the folder is no assembly.
    """
    refusals = Refusals()
    stacks = read_assembly(folder, refusals)
    return tuple(Model(stacks, world, refusals) for world in worlds(stacks, refusals))


def _distance(stack: Stack, home: Stack) -> tuple[bool, bool, bool]:
    return stack is not home, stack.stage != home.stage, stack.region != home.region
