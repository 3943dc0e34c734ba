"""CloudFormation's intrinsic functions, computed from files alone.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>. A function
or a name that cannot be computed is refused by name. What only a deployment knows (a custom resource's answer, a
dynamic reference, the text between two slashes of it) becomes an *unknown* text that says so: see `identity.unknown`.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from infra.assurance.model.assembly import Json, Stack
from infra.assurance.model.identity import is_unknown, unknown
from infra.assurance.refusal import Refused

_SUBSTITUTION: Final = re.compile(r"\$\{([^}]*)\}")
_ZONES: Final = 6


class _NoValue:
    """What `AWS::NoValue` leaves: the property is not there."""


NO_VALUE: Final = _NoValue()


class Names(Protocol):
    """Where the names in one template lead."""

    stack: Stack

    def ref(self, name: str) -> Json:
        """Value of a resource's or a parameter's `Ref`; `KeyError` for a name the template does not have."""
        ...

    def attribute(self, name: str, attribute: str) -> Json:
        """Value of a resource's attribute; `KeyError` likewise."""
        ...

    def imported(self, name: str) -> Json:
        """Value that a stack of the same account and region exports; `KeyError` where none does."""
        ...

    def condition(self, name: str) -> bool:
        """Whether a condition holds in the world that is looked at."""
        ...


def resolve(value: Json, names: Names, where: str) -> Json:
    """A template's value with every function computed; `where` is named in a refusal.

    Raises:
        Refused: a function has no model here, or names what no template has.
    """
    return _Resolver(names, where).value(value)


def conditions_used(value: Json) -> Iterator[str]:
    """Names of the conditions that decide between values in it."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Json]", value).items():
            if key == "Fn::If":
                yield inner[0]
            yield from conditions_used(inner)
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from conditions_used(inner)


@dataclass(frozen=True, slots=True)
class _Resolver:
    names: Names
    where: str

    def value(self, value: Json) -> Json:
        if isinstance(value, dict):
            table = cast("dict[str, Json]", value)
            if len(table) == 1:
                (key, argument), *_ = table.items()
                if key == "Ref":
                    return self._ref(argument)
                if key.startswith("Fn::"):
                    return self._function(key, argument)
            resolved = ((key, self.value(inner)) for key, inner in table.items())
            return {key: inner for key, inner in resolved if inner is not NO_VALUE}
        if isinstance(value, list):
            resolved = (self.value(inner) for inner in cast("list[Json]", value))
            return [inner for inner in resolved if inner is not NO_VALUE]
        return value

    def _refuse(self, what: str) -> Refused:
        return Refused(what, where=self.where, template=self.names.stack.where)

    def _function(self, key: str, argument: Json) -> Json:
        function = _FUNCTIONS.get(key)
        if function is None:
            raise self._refuse(f"{key} is a function the proof does not know")
        try:
            return function(self, argument)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            shown = json.dumps(argument)[:200]
            raise self._refuse(f"{key} of {shown} cannot be computed: {type(error).__name__}: {error}") from error

    def _ref(self, name: Json) -> Json:
        stack = self.names.stack
        partition, region, account = stack.partition, stack.region, stack.account
        pseudo: dict[str, Json] = {
            "AWS::AccountId": account,
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack.name}/id",
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        try:
            return self.names.ref(name)
        except KeyError as error:
            raise self._refuse(f"Ref names {name}, which the template does not have") from error

    def get_att(self, argument: Json) -> Json:
        name, _, attribute = argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        attribute = self.value(attribute)
        try:
            return self.names.attribute(name, attribute)
        except KeyError as error:
            raise self._refuse(f"Fn::GetAtt names {name}, which the template does not have") from error

    def join(self, argument: Json) -> Json:
        delimiter, parts = argument
        return delimiter.join(_text(part) for part in self._list(parts))

    def split(self, argument: Json) -> Json:
        delimiter, text = argument[0], self.value(argument[1])
        if is_unknown(text):
            return _UnknownList(text, delimiter)
        return text.split(delimiter)

    def select(self, argument: Json) -> Json:
        index, values = int(self.value(argument[0])), self.value(argument[1])
        if isinstance(values, _UnknownList):
            return unknown(f"part {index} of {values.text}")
        if isinstance(values, str):
            return f"{values}[{index}]"  # of an attribute that is a list
        if index >= len(values) and len(values) == 1:
            return unknown(f"part {index} of {values[0]}")
        return values[index]

    def sub(self, argument: Json) -> Json:
        text: str = argument if isinstance(argument, str) else argument[0]
        own: dict[str, Json] = {} if isinstance(argument, str) else argument[1]

        def replaced(match: re.Match[str]) -> str:
            name = match.group(1).strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return _text(self.value(own[name]))
            return _text(self.get_att(name) if "." in name else self._ref(name))

        return _SUBSTITUTION.sub(replaced, text)

    def chosen(self, argument: Json) -> Json:
        condition, if_true, if_false = argument
        return self.value(if_true if self.names.condition(condition) else if_false)

    def imported(self, argument: Json) -> Json:
        name = self.value(argument)
        try:
            return self.names.imported(name)
        except KeyError as error:
            raise self._refuse(f"Fn::ImportValue names {name}, which no stack of the assembly exports") from error

    def found_in_map(self, argument: Json) -> Json:
        name, first, second, *rest = [self.value(part) for part in argument]
        try:
            return self.value(self.names.stack.template["Mappings"][name][first][second])
        except KeyError:
            if rest and "DefaultValue" in rest[0]:
                return rest[0]["DefaultValue"]
            raise

    def zones(self, argument: Json) -> Json:
        region = self.value(argument) or self.names.stack.region
        return [unknown(f"zone {number} of {region}") for number in range(_ZONES)]

    def cidr(self, argument: Json) -> Json:
        block, count, bits = (self.value(part) for part in (*argument, None)[:3])
        network = ipaddress.ip_network(block)
        width = network.max_prefixlen - int(bits) if bits is not None else network.max_prefixlen
        subnets = network.subnets(new_prefix=width)
        return [str(next(subnets)) for _ in range(int(count))]

    def base64(self, argument: Json) -> Json:
        return base64.b64encode(_text(self.value(argument)).encode()).decode()

    def json_text(self, argument: Json) -> Json:
        return json.dumps(self.value(argument))

    def length(self, argument: Json) -> Json:
        return len(self._list(argument))

    def _list(self, argument: Json) -> list[Json]:
        values = self.value(argument)
        if isinstance(values, _UnknownList):
            return [values.text]
        if not isinstance(values, list):
            return [values]  # an attribute that is a list
        return cast("list[Json]", values)


@dataclass(frozen=True, slots=True)
class _UnknownList:
    """An unknown text that was split: its parts are unknown too."""

    text: str
    delimiter: str


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list):
        return ",".join(_text(part) for part in cast("list[Json]", value))
    raise TypeError(f"{type(value).__name__} where a text is wanted")


_FUNCTIONS: Final[Mapping[str, Callable[[_Resolver, Any], Json]]] = {
    "Fn::Base64": _Resolver.base64,
    "Fn::Cidr": _Resolver.cidr,
    "Fn::FindInMap": _Resolver.found_in_map,
    "Fn::GetAZs": _Resolver.zones,
    "Fn::GetAtt": _Resolver.get_att,
    "Fn::If": _Resolver.chosen,
    "Fn::ImportValue": _Resolver.imported,
    "Fn::Join": _Resolver.join,
    "Fn::Length": _Resolver.length,
    "Fn::Select": _Resolver.select,
    "Fn::Split": _Resolver.split,
    "Fn::Sub": _Resolver.sub,
    "Fn::ToJsonString": _Resolver.json_text,
}
