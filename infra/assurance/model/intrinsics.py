"""CloudFormation's intrinsic functions, computed from files alone.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>. A function
or a name that cannot be computed is refused by name. What only a deployment knows (a custom resource's answer, a
dynamic reference, the text between two slashes of it) becomes an *unknown* text that says so: see `identity.unknown`.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol, cast

from infra.assurance.model.assembly import UNKNOWN_ACCOUNT, UNKNOWN_REGION, Stack
from infra.assurance.model.files import Json
from infra.assurance.model.identity import OPAQUE, is_unknown, stack_id, unknown
from infra.assurance.refusal import Refused

_SUBSTITUTION: Final = re.compile(r"\$\{([^}]*)\}")
# Where a text stops being known: an unknown part of it, a dynamic reference, or an attribute of no known form.
_UNTOLD: Final = re.compile(rf"⟪|\{{\{{resolve:|{OPAQUE}|{UNKNOWN_ACCOUNT}|{UNKNOWN_REGION}")
_UNTOLD_ENVIRONMENT: Final = frozenset({UNKNOWN_ACCOUNT, UNKNOWN_REGION})
_MAX_BLOCKS: Final = 256
"""That `Fn::Cidr` gives."""


class _NoValue:
    """What `AWS::NoValue` leaves: the property is not there."""


NO_VALUE: Final = _NoValue()


class Names(Protocol):
    """Where the names in one template lead."""

    @property
    def stack(self) -> Stack:
        """The stack that the template is of."""
        ...

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
        """Whether a condition holds in the world that is looked at; `KeyError` where none is called so."""
        ...


def resolve(value: Json, names: Names, where: str) -> Json:
    """A template's value with every function computed; `where` is named in a refusal.

    Raises:
        Refused: a function has no model here, or names what no template has, or leads back to itself.
    """
    if isinstance(value, str):
        return value
    try:
        return _whole(_Resolver(names, where).value(value))
    except RecursionError as error:
        what = "leads back to itself, or is nested too deep"
        raise Refused(what, where=where, template=names.stack.where) from error


class _Parts:
    """A list of which only the first elements are known."""

    def __init__(self, known: tuple[str, ...], rest: str) -> None:
        self.known = known
        self.rest = rest

    def __getitem__(self, index: int) -> str:
        """An element; of those that are not known, an unknown text."""
        if index < 0:
            raise IndexError(index)
        return self.known[index] if index < len(self.known) else unknown(f"part {index} of {self.rest}")


class _Resolver(NamedTuple):
    names: Names
    where: str

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return self._table(cast("dict[str, Json]", value))
        if isinstance(value, list):
            resolved = [self.value(inner) for inner in cast("list[Json]", value)]
            return [_whole(inner) for inner in resolved if inner is not NO_VALUE]
        if value is None:
            raise self._refuse("holds a null, which no template may")
        return value

    def _table(self, table: dict[str, Json]) -> Json:
        for key, argument in table.items():
            if key == "Ref" or key.startswith("Fn::"):
                if len(table) > 1:
                    raise self._refuse(f"{key} stands beside other keys, which only a macro can make sense of")
                return self._function(key, argument)
        found: dict[str, Json] = {}
        for key, inner in table.items():
            if isinstance(inner, str):  # most are: what follows is for the others
                found[key] = inner
            elif (resolved := self.value(inner)) is not NO_VALUE:
                found[key] = _whole(resolved)
        return found

    def _refuse(self, what: str) -> Refused:
        return Refused(what, where=self.where, template=self.names.stack.where)

    def _function(self, key: str, argument: Json) -> Json:
        function = _FUNCTIONS.get(key)
        if function is None:
            raise self._refuse(f"{key} is a function the proof does not know")
        try:
            return function(self, argument)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            shown = json.dumps(argument)[:200]
            raise self._refuse(f"{key} of {shown} cannot be computed: {type(error).__name__}: {error}") from error

    def ref(self, argument: Json) -> Json:
        name = self.value(argument)
        stack = self.names.stack
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name](stack)
        try:
            return self.names.ref(name)
        except KeyError as error:
            raise self._refuse(f"Ref names {name}, which the template does not have") from error

    def get_att(self, argument: Json) -> Json:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        name, attribute = self.value(name), self.value(attribute)
        if not isinstance(attribute, str):
            raise TypeError("an attribute has a name")
        try:
            return self.names.attribute(name, attribute)
        except KeyError as error:
            raise self._refuse(f"Fn::GetAtt names {name}, which the template does not have") from error

    def join(self, argument: Json) -> Json:
        delimiter, parts = argument
        return delimiter.join(_text(part) for part in self._list(parts))

    def split(self, argument: Json) -> Json:
        delimiter, text = argument[0], self.value(argument[1])
        for untold in _UNTOLD.finditer(text):
            if untold.group() not in _UNTOLD_ENVIRONMENT or delimiter in untold.group():
                return _Parts(tuple(text[: untold.start()].split(delimiter)[:-1]), text)
        return text.split(delimiter)

    def select(self, argument: Json) -> Json:
        index, values = int(self.value(argument[0])), self.value(argument[1])
        if index < 0:
            raise IndexError(index)
        return f"{_attribute(values)}[{index}]" if isinstance(values, str) else values[index]

    def sub(self, argument: Json) -> Json:
        text: str
        own: dict[str, Json]
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            name = match.group(1).strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return _text(self.value(own[name]))
            return _text(self.get_att(name) if "." in name else self.ref(name))

        return _SUBSTITUTION.sub(replaced, text)

    def chosen(self, argument: Json) -> Json:
        condition, if_true, if_false = argument
        try:
            holds = self.names.condition(condition)
        except KeyError as error:
            raise self._refuse(f"Fn::If names {condition}, which is no condition of the template") from error
        return self.value(if_true if holds else if_false)

    def imported(self, argument: Json) -> Json:
        name = self.value(argument)
        try:
            return self.names.imported(name)
        except KeyError as error:
            raise self._refuse(f"Fn::ImportValue names {name}, which no stack of the assembly exports") from error

    def found_in_map(self, argument: Json) -> Json:
        name, first, second, *rest = [self.value(part) for part in argument]
        found = self.names.stack.template["Mappings"][name]
        for key in (first, second):
            if key in found:
                found = found[key]
            elif rest and "DefaultValue" in rest[0]:
                return rest[0]["DefaultValue"]
            elif _UNTOLD.search(_text(key)):
                return unknown(f"{name} of {first}, {second}")
            else:
                raise KeyError(key)
        return self.value(found)

    def zones(self, argument: Json) -> Json:
        region = self.value(argument) or self.names.stack.region
        return _Parts((), f"zones of {region}")

    def cidr(self, argument: Json) -> Json:
        block, count, *bits = (self.value(part) for part in argument)
        wanted = int(count)
        if not 1 <= wanted <= _MAX_BLOCKS:
            raise ValueError(f"1 to {_MAX_BLOCKS} blocks can be made")
        if _UNTOLD.search(block):
            return [unknown(f"block {number} of {block}") for number in range(wanted)]
        network = ipaddress.ip_network(block)
        width = network.max_prefixlen - int(bits[0]) if bits else network.max_prefixlen
        found = [str(each) for each in islice(network.subnets(new_prefix=width), wanted)]
        if len(found) < wanted:
            raise ValueError(f"{block} has no room for {wanted} blocks")
        return found

    def base64(self, argument: Json) -> Json:
        text = _text(self.value(argument))
        return unknown(f"Base64 of {text}") if is_unknown(text) else base64.b64encode(text.encode()).decode()

    def json_text(self, argument: Json) -> Json:
        return json.dumps(_whole(self.value(argument)))

    def length(self, argument: Json) -> Json:
        values = self.value(argument)
        if not isinstance(values, list):
            raise TypeError("the length is not in the assembly")
        return len(cast("list[Json]", values))

    def _list(self, argument: Json) -> list[Json]:
        values = _whole(self.value(argument))
        return cast("list[Json]", values) if isinstance(values, list) else [_attribute(values)]


def _whole(value: Json) -> Json:
    """A value as the templates' readers get it: lists that are not known to the end hold one unknown text."""
    return [value.rest if is_unknown(value.rest) else unknown(value.rest)] if isinstance(value, _Parts) else value


def _attribute(value: Json) -> str:
    """A text where a list is wanted: an attribute that is a list, of which no template tells the elements."""
    if not _UNTOLD.search(value):
        raise TypeError(f"{value} is no list")
    return value


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list):
        return ",".join(_text(part) for part in cast("list[Json]", value))
    raise TypeError(f"{type(value).__name__} where a text is wanted")


# <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>. Suffixes of other
# partitions: <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>.
_SUFFIXES: Final = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_PSEUDO_PARAMETERS: Final[Mapping[str, Callable[[Stack], Json]]] = {
    "AWS::AccountId": lambda stack: stack.account,
    "AWS::NotificationARNs": lambda _: [],
    "AWS::Partition": lambda stack: stack.partition,
    "AWS::Region": lambda stack: stack.region,
    "AWS::StackId": stack_id,
    "AWS::StackName": lambda stack: stack.name,
    "AWS::URLSuffix": lambda stack: _SUFFIXES.get(stack.partition, "amazonaws.com"),
}

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
    "Ref": _Resolver.ref,
}
