"""Which resources an update of a stack replaces: a new one is made and the old one removed, with what it held.

A change of a create-only property replaces its resource, and so does a reference from such a property to something
that is itself replaced, through any number of resources, stacks and exports. Where only a service knows (a conditional
create-only property, the answer of a custom resource), it counts as replaced.
<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html>
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, cast

from infra.assurance.model.files import Json
from infra.assurance.model.identity import is_custom
from infra.assurance.model.intrinsics import resolve
from infra.assurance.model.model import Scope
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refusals, Refused
from infra.assurance.stateful.protection import values_at
from infra.assurance.stateful.schema import Schema, schema_of
from infra.assurance.stateful.stacks import Key, Versions, key_of
from infra.assurance.stateful.types import HOLDS, PROTECTS

Id: TypeAlias = "tuple[Key, str]"
"""Stack and logical id."""
Pairs: TypeAlias = "Mapping[Id, tuple[Resource, Resource]]"

NOT_DEPLOYED: Final = frozenset({"AWS::CDK::Metadata"})
"""Types that only count what the CDK is used for."""
_SUBSTITUTION: Final = re.compile(r"\$\{([^!}][^}]*)\}")


def replaced(versions: Versions, refusals: Refusals) -> dict[Id, str]:
    """Every resource of both versions that an update may replace, and why."""
    pairs = {(key, old.logical_id): (old, new) for key, old, new in versions.pairs() if old and new}
    reasons: dict[Id, str] = {}
    changed: set[Id] = set()
    for id_, (old, new) in pairs.items():
        if old.type != new.type:
            reasons[id_] = f"it was a {old.type}"
            continue
        with refusals.collected():
            try:
                keys = [key for key in _keys(old, new) if not same(old, new, key)]
                reason = _own_reason(old, new, keys) if keys else ""
            except Refused as refused:
                if _may_hold(old):
                    raise
                # It matters only to what refers to it.
                keys, reason = [refused.where], f"nobody can tell what it will be: {refused.what}"
            if keys:
                changed.add(id_)
            if reason:
                reasons[id_] = reason
    while more := dict(_through_references(pairs, reasons, changed, refusals)):
        reasons |= more
    return reasons


def same(old: Resource, new: Resource, key: str) -> bool:
    """Whether a property means the same in both.

    Where it cannot be resolved it does if it is written alike: a parameter keeps the value that it was given.

    Raises:
        Refused: it is written in another way, and cannot be resolved.
    """
    try:
        return bool(old.value(key) == new.value(key))
    except Refused:
        before, after = (resource.body.get("Properties", {}).get(key) for resource in (old, new))
        if before == after:
            return True
        raise


def _may_hold(resource: Resource) -> bool:
    """Whether it holds something, or its type is not known to hold nothing."""
    if resource.type in HOLDS or resource.type in PROTECTS:
        return True
    known = is_custom(resource) or resource.type in NOT_DEPLOYED
    return not known and schema_of(resource.type, resource.stack.region) is None


def _keys(old: Resource, new: Resource) -> list[str]:
    return list(dict.fromkeys((*old.body.get("Properties", {}), *new.body.get("Properties", {}))))


def _own_reason(old: Resource, new: Resource, keys: list[str]) -> str:
    """Why a change of these properties replaces it; nothing where it does not."""
    if old.type in NOT_DEPLOYED:
        return ""
    if is_custom(old):
        return "ServiceToken changes, so another program answers for it" if "ServiceToken" in keys else ""
    schema = schema_of(old.type, old.stack.region)
    if schema is None:
        raise new.refuse(f"changes, and what replaces a {old.type} is in no schema of CloudFormation")
    if unknown := set(keys) - schema.properties:
        raise new.refuse(f"has the property {min(unknown)}, which {old.type} does not have")
    for paths, kind in ((schema.create_only, "create-only"), (schema.conditional, "conditionally create-only")):
        for path in paths:
            key = path.partition("/")[0]
            if key in keys and (difference := _difference(old, new, path)):
                return f"{path.replace('/', '.')} is {kind} and changes from {difference}"
    return ""


def _difference(old: Resource, new: Resource, path: str) -> str:
    key, _, rest = path.partition("/")
    before, after = (
        values_at(resource.value(key), rest.replace("/", ".")) if rest else [resource.value(key)]
        for resource in (old, new)
    )
    return "" if before == after else f"{_shown(before)} to {_shown(after)}"


def _shown(values: list[Json]) -> str:
    value = values[0] if len(values) == 1 else (values or None)
    text = value if isinstance(value, str) else json.dumps(value)
    return "nothing" if value is None else text if len(text) <= 120 else f"{text[:119]}…"  # noqa: PLR2004


def _through_references(
    pairs: Pairs, reasons: Mapping[Id, str], changed: set[Id], refusals: Refusals
) -> Iterator[tuple[Id, str]]:
    for id_, (_, new) in pairs.items():
        schema = None if id_ in reasons or is_custom(new) else schema_of(new.type, new.stack.region)
        for key in _create_only_keys(schema):
            with refusals.collected():
                if reason := _moving(new, key, reasons, changed):
                    yield id_, reason
                    break


def _create_only_keys(schema: Schema | None) -> list[str]:
    if schema is None:
        return []
    return list(dict.fromkeys(path.partition("/")[0] for path in (*schema.create_only, *schema.conditional)))


def _moving(new: Resource, key: str, reasons: Mapping[Id, str], changed: set[Id]) -> str:
    """Why what the property refers to gets another identity; nothing where it does not."""
    for target, attribute in _references(new.body.get("Properties", {}).get(key), new.scope, new.name):
        id_ = (key_of(target.stack), target.logical_id)
        if id_ in reasons:
            return f"{key} is create-only and refers to {target.name}, which may be replaced: {reasons[id_]}"
        if id_ in changed and not _is_stable(target, attribute):
            return f"{key} is create-only and refers to {attribute or 'an answer'} of {target.name}, which changes"
    return ""


def _is_stable(target: Resource, attribute: str | None) -> bool:
    """Whether what is referred to stays the same as long as the resource is only updated."""
    if is_custom(target):
        return False
    if attribute is None or attribute.endswith(("Arn", "Id")):
        return True
    schema = schema_of(target.type, target.stack.region)
    return schema is not None and attribute in schema.stable


def _references(value: Json, scope: Scope, where: str) -> Iterator[tuple[Resource, str | None]]:
    """Every resource that a value names, with the attribute (None for `Ref`), across stacks."""
    if isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _references(item, scope, where)
    if not isinstance(value, dict):
        return
    for key, argument in cast("dict[str, Json]", value).items():
        if key == "Ref":
            yield from _named(argument, None, scope, where)
        elif key == "Fn::GetAtt":
            name, _, attribute = (
                argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
            )
            yield from _named(name, str(attribute), scope, where)
        elif key == "Fn::ImportValue":
            yield from _imported(argument, scope, where)
        else:
            if key == "Fn::Sub":
                for name in _SUBSTITUTION.findall(argument if isinstance(argument, str) else argument[0]):
                    logical_id, _, attribute = name.strip().partition(".")
                    yield from _named(logical_id, attribute or None, scope, where)
            yield from _references(argument, scope, where)


def _named(name: str, attribute: str | None, scope: Scope, where: str) -> Iterator[tuple[Resource, str | None]]:
    resource = scope.resources.get(name)
    if resource is None:
        if scope.stack.parent:  # a parameter, which the outer stack gives
            outer, logical_id = scope.stack.parent
            given = scope.model.scopes[outer].resources[logical_id].body.get("Properties", {}).get("Parameters", {})
            yield from _references(given.get(name), scope.model.scopes[outer], where)
    elif resource.type == "AWS::CloudFormation::Stack" and attribute and attribute.startswith("Outputs."):
        inner = scope.model.nested(scope, name)
        outputs = inner.stack.template.get("Outputs", {})
        yield from _references(outputs.get(attribute.removeprefix("Outputs."), {}).get("Value"), inner, where)
    else:
        yield resource, attribute


def _imported(argument: Json, scope: Scope, where: str) -> Iterator[tuple[Resource, str | None]]:
    name = resolve(argument, scope, where)
    found = scope.exported(name)
    if found:
        outer, value = found
        yield from _references(value, outer, where)
