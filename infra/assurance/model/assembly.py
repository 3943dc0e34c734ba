"""Read a synthesized cloud assembly: its stacks in every stage, and stacks nested in stacks.

The layout is the Cloud Assembly's: <https://github.com/aws/aws-cdk-cli/tree/main/packages/@aws-cdk/cloud-assembly-schema>.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from infra.assurance.refusal import Refused

Json: TypeAlias = Any
"""A value as JSON has it; what it means is for whoever reads it."""

_UNKNOWN_ENVIRONMENT: Final = ("unknown-account", "unknown-region")


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """One template and where it will be deployed.

    `stage` is the construct path of the CDK stage it belongs to, "" for none. `parent` is set for a stack nested in
    another, with the logical id of the resource that nests it. `metadata` is what the CDK tells of the constructs in
    it, by path. `termination_protection` is None where the assembly does not say.
    """

    name: str
    stage: str
    account: str
    region: str
    file: Path
    template: Mapping[str, Json]
    paths: Mapping[str, str]
    parent: "tuple[Stack, str] | None" = None
    metadata: Mapping[str, list[Json]] = field(default_factory=dict[str, list[Json]], repr=False)
    termination_protection: bool | None = None

    @property
    def partition(self) -> str:
        """Of AWS: commercial, China or GovCloud, as the region tells."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    @property
    def where(self) -> str:
        """The template's file, from the assembly's folder down."""
        return "/".join(self.file.parts[-2:])


def read_json(file: Path) -> Json:
    """The content of a JSON file.

    Raises:
        Refused: it is missing or is no JSON.
    """
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read: {error}", where=str(file)) from error


def read_assembly(folder: Path) -> tuple[Stack, ...]:
    """Every stack of a cloud assembly, nested assemblies and nested stacks included, in the manifests' order.

    Raises:
        Refused: the folder is no assembly, or a file in it is missing or malformed.
    """
    if not (folder / "manifest.json").is_file():
        raise Refused("is no cloud assembly: it has no manifest.json (make one with `make synth`)", where=str(folder))
    return tuple(_stacks(folder, stage=""))


def _stacks(folder: Path, *, stage: str) -> Iterator[Stack]:
    manifest = _table(read_json(folder / "manifest.json"), folder / "manifest.json")
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            inner = properties["directoryName"]
            yield from _stacks(folder / inner, stage=properties.get("displayName", inner))
        elif artifact["type"] == "aws:cloudformation:stack":
            yield from _stack(folder, name, artifact, stage)


def _stack(folder: Path, name: str, artifact: Mapping[str, Json], stage: str) -> Iterator[Stack]:
    properties = artifact["properties"]
    account, _, region = artifact.get("environment", "").removeprefix("aws://").partition("/")
    file = folder / properties["templateFile"]
    template = _table(read_json(file), file)
    metadata = _metadata(folder, artifact)
    stack = Stack(
        name=properties.get("stackName", name),
        stage=stage,
        account=account or _UNKNOWN_ENVIRONMENT[0],
        region=region or _UNKNOWN_ENVIRONMENT[1],
        file=file,
        template=template,
        paths=_paths(metadata, template),
        metadata=metadata,
        termination_protection=properties.get("terminationProtection"),
    )
    yield stack
    yield from _nested(stack)


def _metadata(folder: Path, artifact: Mapping[str, Json]) -> dict[str, list[Json]]:
    """What stands in the manifest, and in a file of its own."""
    metadata: dict[str, list[Json]] = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        file = folder / artifact["additionalMetadataFile"]
        metadata |= _table(read_json(file), file)
    return metadata


def _paths(metadata: Mapping[str, list[Json]], template: Mapping[str, Json]) -> dict[str, str]:
    """Construct paths by logical id: the resources' own metadata, or else the stack's."""
    paths = {
        entry["data"]: path.removeprefix("/")
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }
    for logical_id, body in template.get("Resources", {}).items():
        if own := body.get("Metadata", {}).get("aws:cdk:path"):
            paths[logical_id] = own
    return paths


def _nested(parent: Stack) -> Iterator[Stack]:
    for logical_id, body in parent.template.get("Resources", {}).items():
        if body.get("Type") != "AWS::CloudFormation::Stack":
            continue
        asset = body.get("Metadata", {}).get("aws:asset:path")
        if asset is None:
            raise Refused(
                "is a nested stack whose template is not in the assembly",
                where=parent.paths.get(logical_id, logical_id),
                template=parent.where,
            )
        file = parent.file.parent / asset
        template = _table(read_json(file), file)
        stack = Stack(
            name=f"{parent.name}-{logical_id}",
            stage=parent.stage,
            account=parent.account,
            region=parent.region,
            file=file,
            template=template,
            paths=_paths({}, template),
            parent=(parent, logical_id),
        )
        yield stack
        yield from _nested(stack)


def _table(value: Json, file: Path) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise Refused("holds no JSON object", where=str(file))
    return cast("Mapping[str, Json]", value)
