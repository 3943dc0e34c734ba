"""What a deployment would do to what it cannot bring back: every change that removes, replaces or weakens it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from infra.assurance.model.assembly import Stack
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refusals
from infra.assurance.stateful.protection import PROTECTIONS, Protection, values_at, weaker
from infra.assurance.stateful.replacement import NOT_DEPLOYED, replaced, same
from infra.assurance.stateful.schema import schema_of
from infra.assurance.stateful.stacks import DECIDING, Versions, key_of
from infra.assurance.stateful.types import EMPTIES, HOLDS, OVERWRITTEN, PROTECTS, SNAPSHOT_BY_DEFAULT

REMOVED: Final = "removed"
REPLACED: Final = "replaced"
OVERWRITTEN_VALUE: Final = "overwritten"
CONDITIONAL: Final = "conditional"
EMPTIED: Final = "emptied"
WEAKER: Final = "weaker "
"""Before the property (or attribute) that protects less than it did."""

DELETION: Final = "DeletionPolicy"
UPDATE_REPLACE: Final = "UpdateReplacePolicy"
_KEPT: Final = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}


@dataclass(frozen=True, slots=True)
class Change:
    """One change to one resource; `change` is what a waiver calls it."""

    resource: str
    change: str
    because: str
    path: str
    """The whole construct path, which a waiver may name it by, too."""
    template: str

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.resource}: {self.change}: {self.because} ({self.template})"


def changes_of(versions: Versions, refusals: Refusals) -> Iterator[Change]:
    """Every change that needs a waiver. What cannot be decided is among the refusals."""
    reasons = replaced(versions, refusals)
    for key, old, new in versions.pairs():
        with refusals.collected():
            if old is None:
                if new and new.type in EMPTIES:
                    yield from _emptied(new)
            elif new is None:
                yield from _removed(old, versions.new.scopes)
            elif old.type in HOLDS or old.type in PROTECTS or new.type in HOLDS:
                yield from _changed(old, new, reasons.get((key, old.logical_id)), refusals)
    yield from _unprotected_stacks(versions)


def _changed(old: Resource, new: Resource, reason: str | None, refusals: Refusals) -> Iterator[Change]:
    if reason and old.type != new.type:
        yield _change(old, REMOVED, f"a {new.type} takes its place{_loss(old, DELETION)}")
        return
    if reason and old.type in HOLDS:
        yield _change(new, REPLACED, f"{reason}{_loss(new, UPDATE_REPLACE)}")
    for key in OVERWRITTEN.get(old.type, ()):
        if not same(old, new, key):
            yield _change(new, OVERWRITTEN_VALUE, f"{key} changes, and a new value takes the place of the old one")
    yield from _weaker(old, new, refusals)
    yield from _less_kept(old, new)
    if _condition(new) and _condition(new) != _condition(old):
        because = f"it is there only under the condition {new.body['Condition']}"
        yield _change(new, CONDITIONAL, f"{because}{_loss(new, DELETION)}")


def _condition(resource: Resource) -> object:
    """The condition that a resource is under, and all that decides how it turns out."""
    name = resource.body.get("Condition")
    return None if name is None else (name, *map(resource.stack.template.get, DECIDING))


def _removed(old: Resource, scopes: Mapping[Stack, object]) -> Iterator[Change]:
    if old.type in HOLDS or old.type in PROTECTS:
        gone = key_of(old.stack) not in {key_of(stack) for stack in scopes}
        because = f"the stack {old.stack.name} is no longer there" if gone else "the template no longer has it"
        yield _change(old, REMOVED, f"{because}{_loss(old, DELETION)}")
    elif old.type in EMPTIES or old.type.startswith("Custom::") or old.type in NOT_DEPLOYED:
        return
    elif old.type != "AWS::CloudFormation::CustomResource" and schema_of(old.type, old.stack.region) is None:
        raise old.refuse(f"is removed, and whether a {old.type} holds anything is in no schema of CloudFormation")


def _loss(resource: Resource, policy: str) -> str:
    what = HOLDS.get(resource.type)
    if what is None:
        return f"; it {PROTECTS[resource.type]}" if resource.type in PROTECTS else ""
    kept = _policies(resource)[policy]
    return f"; it holds {what}" + {"Delete": "", "Snapshot": ", of which a snapshot stays"}.get(
        kept, ", and stays behind outside of any stack"
    )


def _weaker(old: Resource, new: Resource, refusals: Refusals) -> Iterator[Change]:
    for protection in PROTECTIONS:
        if not protection.types or old.type in protection.types:
            with refusals.collected():
                yield from _weaker_by(protection, old, new)


def _weaker_by(protection: Protection, old: Resource, new: Resource) -> Iterator[Change]:
    key, _, rest = protection.path.partition(".")
    if same(old, new, key):
        return
    before, after = (values_at({key: resource.value(key)}, protection.path) for resource in (old, new))
    try:
        if before != after and weaker(before, after, protection):
            told = " to ".join(", ".join(map(str, values)) or "nothing" for values in (before, after))
            yield _change(new, f"{WEAKER}{protection.path}", f"from {told if len(told) < 300 else 'what it was'}")  # noqa: PLR2004
    except ValueError as error:
        raise new.refuse(f"changes {key}{'.' * bool(rest)}{rest}, which protects it: {error}") from error


def _policies(resource: Resource) -> dict[str, str]:
    in_cluster = resource.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in resource.body.get(
        "Properties", {}
    )
    snapshot = resource.type in SNAPSHOT_BY_DEFAULT and not in_cluster
    policies = {
        DELETION: resource.body.get(DELETION, "Snapshot" if snapshot else "Delete"),
        UPDATE_REPLACE: resource.body.get(UPDATE_REPLACE, "Delete"),
    }
    for name, policy in policies.items():
        if not isinstance(policy, str) or policy not in _KEPT:
            raise resource.refuse(f"has the {name} {policy}, which is none")
    return policies


def _less_kept(old: Resource, new: Resource) -> Iterator[Change]:
    before, after = _policies(old), _policies(new)
    for policy, kept in before.items():
        if _KEPT[after[policy]] < _KEPT[kept]:
            yield _change(new, f"{WEAKER}{policy}", f"from {kept} to {after[policy]}")


def _emptied(new: Resource) -> Iterator[Change]:
    """A custom resource that deletes what is in another one, as soon as either is removed."""
    key = EMPTIES[new.type]
    target = new.scope.model.find(new.value(key))
    if target is None:
        raise new.refuse(f"empties {new.value(key)}, which the assembly does not have")
    yield _change(target, EMPTIED, f"{new.name} deletes what is in it when it is removed")


def _unprotected_stacks(versions: Versions) -> Iterator[Change]:
    after = {key_of(stack): stack for stack in versions.new.scopes}
    for stack in versions.old.scopes:
        new = after.get(key_of(stack))
        if new and stack.termination_protection and new.termination_protection is False:
            because = "from on to off: anybody who may delete stacks may delete this one"
            name = f"stack {new.name} of {new.account} in {new.region}"
            yield Change(name, f"{WEAKER}termination protection", because, name, new.where)


def _change(resource: Resource, change: str, because: str) -> Change:
    path = resource.stack.paths.get(resource.logical_id, resource.name)
    return Change(resource.name, change, because, path, resource.stack.where)


def distinct(changes: Iterable[Change]) -> list[Change]:
    """Each change of a resource once, as first met: worlds say the same again."""
    return list({(change.resource, change.change): change for change in reversed(list(changes))}.values())[::-1]
