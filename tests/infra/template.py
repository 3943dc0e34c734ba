"""CloudFormation templates as plain data, with the few questions the tests ask of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One stack of one environment."""

    environment: str
    stack: str
    body: Json
    termination_protection: bool

    def resources(self, *types: str) -> dict[str, Json]:
        """Resources by logical id; all, or those of ``types``."""
        return {k: r for k, r in self.body["Resources"].items() if not types or r["Type"] in types}

    def properties(self, resource_type: str) -> list[Json]:
        """The properties of every resource of a type."""
        return [r.get("Properties", {}) for r in self.resources(resource_type).values()]

    def only(self, resource_type: str) -> Json:
        """The properties of the one resource of a type."""
        found = self.properties(resource_type)
        assert len(found) == 1, f"{len(found)} of {resource_type}"
        return found[0]


def read_assembly(assembly: Path) -> dict[tuple[str, str], Template]:
    """The templates of a cloud assembly by environment and stack."""
    found: dict[tuple[str, str], Template] = {}
    for manifest in assembly.glob("assembly-*/manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                # An environment that the pipeline deploys is part of it: pipeline/prod/Network.
                environment, stack = artifact["displayName"].split(" ")[0].split("/")[-2:]
                properties = artifact["properties"]
                body = json.loads((manifest.parent / properties["templateFile"]).read_text())
                protected = bool(properties.get("terminationProtection"))
                found[environment, stack] = Template(environment, stack, body, protected)
    return found


def read_application(assembly: Path) -> dict[str, Template]:
    """The templates that belong to no environment, by stack: the pipeline's and the guards'."""
    found: dict[str, Template] = {}
    for name, artifact in json.loads((assembly / "manifest.json").read_text())["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            body = json.loads((assembly / properties["templateFile"]).read_text())
            found[name] = Template("", name, body, bool(properties.get("terminationProtection")))
    return found


def strings(value: object) -> Iterator[str]:
    """Every text in ``value``, however deep."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():  # pyright: ignore[reportUnknownVariableType]  # JSON
                yield from strings(inner)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        case list():
            for inner in value:  # pyright: ignore[reportUnknownVariableType]  # JSON
                yield from strings(inner)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        case _:
            pass


def as_list(value: Any) -> list[Any]:
    """What IAM writes alone when it is one."""
    return value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]  # JSON


def reference(value: Any) -> str:
    """The logical id or export that ``value`` refers to; itself where it is text."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return str(value["Ref"])
    if "Fn::GetAtt" in value:
        return str(value["Fn::GetAtt"][0])
    return str(value["Fn::ImportValue"])
