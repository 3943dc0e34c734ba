"""Calls to MiniStack's own API, as the account's root."""

import os
from collections.abc import Callable
from typing import Any, cast

import boto3
from botocore.config import Config

from rehearsal.plugin import ministack

PORT = os.environ.get("GATEWAY_PORT", "4566")
_SCALARS: dict[str, Callable[[Any], Any]] = {"integer": int, "long": int, "float": float, "double": float}
_ONCE = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)


def client(service: str) -> Any:
    """A client of ``service`` in the region of the request that is being answered."""
    return cast("Any", boto3).client(
        service,
        endpoint_url=f"http://127.0.0.1:{PORT}",
        region_name=ministack.region(),
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - MiniStack's own, on this machine
        config=_ONCE,
    )


def shaped(service: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Properties of a template as input of an operation: names in its case, values in its types.

    Raises:
        ValueError: the operation has no such member. Nothing is dropped silently.
    """
    shape = client(service).meta.service_model.operation_model(operation).input_shape
    return _structure(shape, properties, operation)


def _structure(shape: Any, value: dict[str, Any], path: str) -> dict[str, Any]:
    names = {member.lower(): member for member in shape.members}
    unknown = [name for name in value if name.lower() not in names]
    if unknown:
        raise ValueError(f"{path} has no {', '.join(unknown)}")
    return {
        names[name.lower()]: _value(shape.members[names[name.lower()]], part, f"{path}.{name}")
        for name, part in value.items()
    }


def _value(shape: Any, value: Any, path: str) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, value, path)
    if shape.type_name == "list":
        return [_value(shape.member, part, path) for part in value]
    if shape.type_name == "map":
        return {name: _value(shape.value, part, path) for name, part in value.items()}
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    return _SCALARS.get(shape.type_name, str)(value)
