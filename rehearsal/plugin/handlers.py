"""CloudFormation's handlers of resource types, as MiniStack keeps them."""

from collections.abc import Callable
from typing import Any, Literal

from rehearsal.plugin import ministack
from rehearsal.plugin.journal import note

Json = dict[str, Any]
Made = tuple[str, Json]
"""What ``Ref`` and ``Fn::GetAtt`` of a resource are worth."""
Create = Callable[[str, Json, str], Made]
"""Of a logical id, properties and the name of the stack."""
Delete = Callable[[str, Json], object]
"""Of a physical id and properties."""

_threaded: set[str] = set()
_attributes: dict[str, Json] = {}


def install() -> None:
    """Have the types that call the API run beside the event loop that answers it, and in no other order."""
    stacks = ministack.module("services.cloudformation.stacks")
    theirs = stacks._runs_on_worker_thread

    def waits(kind: str) -> bool:
        return kind in _threaded or theirs(kind)

    stacks._runs_on_worker_thread = waits


def table() -> dict[str, Json]:
    """Handlers by their resource type."""
    return ministack.module("services.cloudformation.provisioners")._RESOURCE_HANDLERS


def register(kind: str, create: Create, delete: Delete, *, how: Literal["recorded", "repaired"] = "repaired") -> None:
    """Make the type known. A change of its properties deletes it and makes it anew.

    Raises:
        ValueError: MiniStack has it itself.
    """
    if kind in table():
        raise ValueError(f"MiniStack has {kind} itself: drop it here")

    def made(logical: str, properties: Json, stack: str) -> Made:
        physical, attributes = create(logical, properties, stack)
        _attributes[physical] = attributes
        note(how, kind, stack=stack, id=logical)
        return physical, attributes

    def update(physical: str, old: Json, new: Json, stack: str, logical_id: str | None = None) -> Made:
        if old == new:
            return physical, _attributes.get(physical, {})
        delete(physical, old)
        return made(logical_id or physical, new, stack)

    table()[kind] = {"create": made, "update": update, "update_with_logical_id": True, "delete": delete}
    threaded(kind)


def threaded(kind: str) -> None:
    """Its handler waits for something, or calls the API."""
    _threaded.add(kind)


def extend(kind: str, more: Callable[[str, Json], Json]) -> None:
    """Add attributes to what MiniStack's own handler gives, by the physical id and the properties."""
    handler = table()[kind]
    create, update = handler["create"], handler["update"]

    def created(logical: str, properties: Json, stack: str) -> Made:
        physical, attributes = create(logical, properties, stack)
        return physical, {**attributes, **more(physical, properties)}

    def updated(physical: str, old: Json, new: Json, *rest: Any, **named: Any) -> Made:
        same, attributes = update(physical, old, new, *rest, **named)
        return same, {**(attributes or {}), **more(same, new)}

    handler.update(create=created, update=updated)
    note("repaired", kind)
