"""CloudWatch alarms on a calculation of several metrics, which MiniStack does not know: recorded."""

from typing import Any

from rehearsal.plugin import ministack
from rehearsal.plugin.handlers import Json, Made, table
from rehearsal.plugin.journal import note

KIND = "AWS::CloudWatch::Alarm"


def install() -> None:
    """Let them pass."""
    handler = table()[KIND]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def created(logical: str, properties: Json, stack: str) -> Made:
        if "Metrics" not in properties:
            return create(logical, properties, stack)
        note("recorded", f"{KIND} on a calculation", stack=stack, id=logical)
        name = properties.get("AlarmName") or f"{stack}-{logical}"
        return name, {"Arn": ministack.arn("cloudwatch", f"alarm:{name}")}

    def updated(physical: str, old: Json, new: Json, stack: str, logical_id: str | None = None) -> Made:
        if "Metrics" in old or "Metrics" in new:
            deleted(physical, old)
            return created(logical_id or physical, new, stack)
        return update(physical, old, new, stack, logical_id)

    def deleted(physical: str, properties: Json, *rest: Any) -> None:
        if "Metrics" not in properties:
            delete(physical, properties, *rest)

    handler.update(create=created, update=updated, delete=deleted)
