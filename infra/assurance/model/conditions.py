"""Conditions that decide between values: what they depend on, and the worlds that this makes.

A condition is looked at both ways, whatever a parameter's default is: whoever deploys may give another value. What is
known is used: the account and the region of a stack, that `Fn::Not` of a condition is its opposite, and that a
parameter has one value at a time. Two texts that are compared with each other are a switch in the source, and looked
at both ways, too.
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>
"""

import json
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias, cast

from infra.assurance.model.assembly import UNKNOWN_ACCOUNT, UNKNOWN_REGION, Stack
from infra.assurance.model.files import Json
from infra.assurance.model.intrinsics import resolve
from infra.assurance.refusal import Refusals, Refused

World: TypeAlias = Mapping[tuple[Stack, str], bool]
"""Whether a condition holds, by the stack that defines it and its name."""

MAX_WORLDS: Final = 64
"""That are looked at."""

_Variable: TypeAlias = tuple[object, str]


class _Other:
    """Any value of a parameter that no condition compares it with."""


_OTHER: Final = _Other()


def worlds(stacks: tuple[Stack, ...], refusals: Refusals) -> list[World]:
    """What the conditions that decide between values can be at once, with most of them true first.

    Where that is too much to look at, it is refused, and the first world is all there is.
    """
    deciding = [stack for stack in stacks if _defined(stack)]
    used = [(stack, name) for stack in deciding for name in _used(stack) if name in _defined(stack)]
    if not used:
        return [{}]
    known = _Definitions()
    for stack, name in used:
        known.holds(stack, name, {})
    domains = {variable: tuple(values) for variable, values in known.domains.items()}
    count = prod(len(values) for values in domains.values())
    if count > MAX_WORLDS:
        names = ", ".join(sorted({name for _, name in used}))
        what = f"conditions decide between values in {count} ways, at most {MAX_WORLDS} are looked at: {names}"
        refusals.add(Refused(what, where=str(stacks[0].file.parent)))
        domains = {variable: values[:1] for variable, values in domains.items()}
    chosen = (dict(zip(domains, values, strict=True)) for values in product(*domains.values()))
    found = [{key: known.holds(*key, choice) for key in used} for choice in chosen]
    distinct = {tuple(world.values()): world for world in found}
    return sorted(distinct.values(), key=lambda world: -sum(world.values()))


def _defined(stack: Stack) -> Mapping[str, Json]:
    section = stack.template.get("Conditions")
    return cast("Mapping[str, Json]", section) if isinstance(section, dict) else {}


def _used(stack: Stack) -> Iterator[str]:
    """Names of the conditions that decide between values in a template, each once."""
    found: dict[str, None] = {}
    waiting: list[Json] = [stack.template.get("Resources"), stack.template.get("Outputs")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += cast("list[Json]", value)
        elif isinstance(value, dict):
            for key, inner in cast("dict[str, Json]", value).items():
                waiting.append(inner)
                if key == "Fn::If" and isinstance(inner, list) and inner and isinstance(inner[0], str):
                    found[inner[0]] = None
    return iter(found)


class _Pseudo(NamedTuple):
    """Names of a template, of which only those are known that AWS gives to every one."""

    stack: Stack

    def ref(self, name: str) -> Json:
        raise KeyError(name)

    def attribute(self, name: str, attribute: str) -> Json:
        raise KeyError(name, attribute)

    def imported(self, name: str) -> Json:
        raise KeyError(name)

    def condition(self, name: str) -> bool:
        raise KeyError(name)


class _Definitions:
    """What conditions are made of: variables, and the values of each that make a difference."""

    def __init__(self) -> None:
        self.domains: dict[_Variable, dict[object, None]] = {}
        self._open: list[tuple[Stack, str]] = []

    def holds(self, stack: Stack, name: str, choice: Mapping[_Variable, object]) -> bool:
        """Whether it holds when the variables are as chosen; those that are not chosen yet are gathered."""
        definition = _defined(stack).get(name)
        if (stack, name) in self._open:
            return self._free(stack, definition, choice)  # it is defined by itself, so all that can be said: either
        self._open.append((stack, name))
        try:
            return self._of(stack, definition, choice)
        finally:
            self._open.pop()

    def _of(self, stack: Stack, definition: Json, choice: Mapping[_Variable, object]) -> bool:
        match definition:
            case {"Condition": str(name)} if len(definition) == 1:
                return self.holds(stack, name, choice)
            case {"Fn::Not": [inner]} if len(definition) == 1:
                return not self._of(stack, inner, choice)
            case {"Fn::And": [*inner]} if len(definition) == 1:
                return all(self._each(stack, inner, choice))
            case {"Fn::Or": [*inner]} if len(definition) == 1:
                return any(self._each(stack, inner, choice))
            case {"Fn::Equals": [one, other]} if len(definition) == 1:
                return self._equal(stack, one, other, choice)
            case _:
                return self._free(stack, definition, choice)

    def _each(self, stack: Stack, definitions: list[Json], choice: Mapping[_Variable, object]) -> list[bool]:
        """All of them, whatever the first one says, so that every variable is met."""
        return [self._of(stack, definition, choice) for definition in definitions]

    def _equal(self, stack: Stack, one: Json, other: Json, choice: Mapping[_Variable, object]) -> bool:
        first, second = _constant(stack, one), _constant(stack, other)
        if first is not None and second is not None:
            written = not isinstance(one, dict) and not isinstance(other, dict)
            return self._free(stack, [one, other], choice) if written else first == second
        if first is None and second is None:
            return self._free(stack, [one, other], choice)
        operand, value = (one, second) if first is None else (other, first)
        variable = _variable(stack, operand)
        domain = self.domains.setdefault(variable, {})
        domain.pop(_OTHER, None)
        domain |= {value: None, _OTHER: None}
        return choice.get(variable, value) == value

    def _free(self, stack: Stack, definition: Json, choice: Mapping[_Variable, object]) -> bool:
        variable = _variable(stack, definition)
        self.domains.setdefault(variable, {True: None, False: None})
        return choice.get(variable, True) is True


def _constant(stack: Stack, operand: Json) -> str | None:
    """An operand's value, if no parameter has a say in it."""
    try:
        value = resolve(operand, _Pseudo(stack), "a condition")
    except Refused:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return None if "⟪" in text or UNKNOWN_ACCOUNT in text or UNKNOWN_REGION in text else text


def _variable(stack: Stack, definition: Json) -> _Variable:
    """Its own in each stack, unless it is about the environment, which stacks share."""
    text = json.dumps(definition, sort_keys=True)
    names = set(_names(definition))
    about_environment = names and all(name.startswith("AWS::") for name in names)
    if about_environment and "Fn::FindInMap" not in text and "Fn::Sub" not in text:
        return (stack.stage, stack.account, stack.region), text
    return stack, text


def _names(definition: Json) -> Iterator[str]:
    if isinstance(definition, dict):
        for key, inner in cast("dict[str, Json]", definition).items():
            if key in {"Ref", "Condition"}:
                yield str(inner)
            yield from _names(inner)
    elif isinstance(definition, list):
        for inner in cast("list[Json]", definition):
            yield from _names(inner)
