"""What the names in one template lead to: resources, parameters, conditions, other stacks."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, cast

from infra.assurance.model import identity
from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json, table
from infra.assurance.model.intrinsics import resolve
from infra.assurance.model.template import NESTED_STACK
from infra.assurance.refusal import Refused

if TYPE_CHECKING:
    from infra.assurance.model.model import Model
    from infra.assurance.model.resource import Resource

_OUTPUT: Final = "Outputs."
# With these, the CDK carries a value from a stack to one in another region:
# <https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib-readme.html#accessing-resources-in-a-different-stack-and-region>.
_READER: Final = "Custom::CrossRegionExportReader"
WRITER: Final = "Custom::CrossRegionExportWriter"
"""Type of the CDK's resource that writes values to another region."""


class Scope:
    """One template of a model: what its names lead to (`intrinsics.Names`)."""

    def __init__(self, model: "Model", stack: Stack) -> None:
        self.model = model
        self.stack = stack
        self.resources: dict[str, Resource] = {}
        self._resolving: set[str] = set()

    def ref(self, name: str) -> Json:
        """`Ref` of a resource or a parameter."""
        if name in self.resources:
            with self.once(name):
                return self.resources[name].ref
        return self._parameter(name)

    def attribute(self, name: str, attribute: str) -> Json:
        """`Fn::GetAtt`, of a nested stack its output."""
        resource = self.resources[name]
        with self.once(f"{name}.{attribute}"):
            if resource.type == NESTED_STACK and attribute.startswith(_OUTPUT):
                return self._output_of(resource, attribute.removeprefix(_OUTPUT))
            if resource.type == _READER:
                written = self.model.written.get((self.stack.account, self.stack.region, attribute))
                if written:
                    return resolve(written[1], written[0], f"{attribute} of {resource.name}")
            return identity.attribute(resource, attribute)

    def imported(self, name: str) -> Json:
        """What a stack of the same account and region exports under the name, one of the same stage first."""
        exported = self.exported(name)
        if exported is None:
            raise KeyError(name)
        scope, value = exported
        with scope.once(f"export {name}"):
            return resolve(value, scope, f"export {name}")

    def exported(self, name: str) -> "tuple[Scope, Json] | None":
        """The stack that exports the name to this one, and the value as it is written there.

        Raises:
            Refused: several do, and none or more than one is of the same stage.
        """
        found = self.model.exports.get((self.stack.account, self.stack.region, name), [])
        home = [each for each in found if each[0].stack.stage == self.stack.stage] or found
        if len(home) > 1:
            raise Refused(f"is exported by {len(home)} stacks", where=f"export {name}", template=self.stack.where)
        return home[0] if home else None

    def condition(self, name: str) -> bool:
        """Whether the condition holds in the model's world."""
        return self.model.world[self.stack, name]

    def _output_of(self, nested: "Resource", name: str) -> Json:
        inner = self.model.nested(self, nested.logical_id)
        output = inner.entry("Outputs", name)
        if "Value" not in output:
            raise nested.refuse(f"has an output {name} without a value")
        return resolve(output["Value"], inner, f"output {name} of {nested.name}")

    def entry(self, section: str, name: str) -> Mapping[str, Json]:
        """An entry of a section of the template; `KeyError` for a name the section does not have."""
        entries = table(self.stack.template.get(section, {}), section, where=self.stack.where)
        return table(entries[name], name, where=self.stack.where)

    def _parameter(self, name: str) -> Json:
        parameter = self.entry("Parameters", name)
        type_ = str(parameter.get("Type"))
        given = self._given(name)
        if type_.startswith("AWS::SSM::"):
            return identity.unknown(f"SSM parameter {parameter.get('Default', name) if given is None else given}")
        value = parameter.get("Default") if given is None else given
        if value is None:
            raise Refused(
                "is a parameter without a default: its value is not in the assembly",
                where=f"parameter {name}",
                template=self.stack.where,
            )
        if not isinstance(value, (str, int, float, list)):
            raise Refused(
                "is a parameter with no text for a value", where=f"parameter {name}", template=self.stack.where
            )
        if "List" in type_ and isinstance(value, str):
            return [part.strip() for part in value.split(",")]
        return cast("Json", value)

    def _given(self, name: str) -> Json:
        """What the stack is deployed with, as the assembly or the stack around it says; None if neither does."""
        if self.stack.parent is None:
            return self.stack.parameters.get(name)
        outer, logical_id = self.stack.parent
        around = self.model.scopes[outer]
        nested = around.resources[logical_id]
        with around.once(f"{logical_id} with {name}"):
            value = nested.part("Parameters", name)
        return ",".join(map(str, cast("list[Json]", value))) if isinstance(value, list) else value

    def once(self, name: str) -> AbstractContextManager[None, None]:
        """Refuses what is defined by itself, which would never end."""
        if name in self._resolving:
            raise Refused("is defined by itself", where=name, template=self.stack.where)
        return _Once(self._resolving, name)


class _Once(AbstractContextManager[None, None]):
    """Keeps a name among those that are being resolved."""

    def __init__(self, resolving: set[str], name: str) -> None:
        self._resolving, self._name = resolving, name

    def __enter__(self) -> None:
        self._resolving.add(self._name)

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._resolving.discard(self._name)
