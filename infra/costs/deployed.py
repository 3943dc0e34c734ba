"""What an environment consists of, read from a cloud assembly."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource of a template; ``stack`` and ``logical_id`` say which."""

    stack: str
    logical_id: str
    type: str
    properties: Properties

    def mentions(self, other: "Resource") -> bool:
        """Whether a property refers to ``other``, of the same stack."""
        return self.stack == other.stack and f'"{other.logical_id}"' in json.dumps(self.properties)


@dataclass(frozen=True)
class Deployed:
    """All resources of one environment, and how many container images they run."""

    name: str
    resources: tuple[Resource, ...]
    images: int = 0

    def of(self, *types: str) -> tuple[Resource, ...]:
        """Those of ``types``."""
        return tuple(resource for resource in self.resources if resource.type in types)


def _stacks(assembly: Path) -> Iterator[tuple[str, str, dict[str, Any], int]]:
    """Environment, stack, template and number of images of every stack; '' is the environment of what has none."""
    for manifest in sorted(assembly.rglob("manifest.json")):
        artifacts = json.loads(manifest.read_text()).get("artifacts", {})
        for artifact_id, artifact in sorted(artifacts.items()):
            if artifact["type"] != "aws:cloudformation:stack":
                continue
            properties = artifact["properties"]
            template = json.loads((manifest.parent / properties["templateFile"]).read_text())
            assets = manifest.parent / f"{artifact_id}.assets.json"
            images = len(json.loads(assets.read_text()).get("dockerImages", {})) if assets.exists() else 0
            yield properties.get("tags", {}).get("environment", ""), artifact_id, template, images


def read_deployed(assembly: Path) -> dict[str, Deployed]:
    """What each environment consists of, by its name, from the stacks' tag ``environment``: the pipeline is one too."""
    found: dict[str, Deployed] = {}
    for environment, stack, template, images in _stacks(assembly):
        known = found.get(environment, Deployed(environment, ()))
        resources = tuple(
            Resource(stack, logical_id, resource["Type"], resource.get("Properties", {}))
            for logical_id, resource in template["Resources"].items()
        )
        found[environment] = Deployed(environment, known.resources + resources, known.images + images)
    return found
