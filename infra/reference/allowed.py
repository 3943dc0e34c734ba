"""What a setting may be, in words, from its JSON schema."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}


def allowed(schema: Schema) -> str:
    """For example ``whole number, 1 to 35``."""
    if "anyOf" in schema:
        return ", or ".join(allowed(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{_literal(choice)}`" for choice in schema["enum"])
    if "prefixItems" in schema or schema.get("type") == "array":
        return _list(schema)
    if schema.get("format") == "ipv4network":
        return "IPv4 network"
    words = KINDS[schema["type"]]
    if bounds := _bounds(schema):
        words += f", {bounds}"
    if "multipleOf" in schema:
        words += f", in steps of {schema['multipleOf']:g}"
    if "pattern" in schema:
        words += f" like `{schema['pattern']}`"
    return words


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if "exclusiveMinimum" in schema:
        return f"more than {low:g}" + (f", {high:g} at the most" if high is not None else "")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} or more" if low is not None else f"{high:g} at the most" if high is not None else ""


def _list(schema: Schema) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    number = f"{least} to {most} of " if most else f"{least} or more of " if least else ""
    return f"list of {number}{allowed(schema['items'])}"


def default(schema: Schema, *, required: bool) -> str:
    """What it is where the file leaves it out."""
    if required:
        return "**required**"
    value = schema.get("default")
    if value is None:
        return "none"
    return f"`{_literal(value).lower() if isinstance(value, bool) else _literal(value)}`"
