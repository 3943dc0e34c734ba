"""Read a synthesized cloud assembly: its stacks in every stage, and stacks nested in stacks.

The layout is the Cloud Assembly's: <https://github.com/aws/aws-cdk-cli/tree/main/packages/@aws-cdk/cloud-assembly-schema>.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from infra.assurance.model.files import Json, read_json, table, text
from infra.assurance.model.identity import unknown
from infra.assurance.model.template import NESTED_STACK, nested_file, paths, resources
from infra.assurance.refusal import Refusals, Refused

UNKNOWN_ACCOUNT: Final = "unknown-account"
UNKNOWN_REGION: Final = "unknown-region"
"""What an assembly calls the environment of a stack that can be deployed anywhere."""

# Artifacts that hold nothing that is deployed by CloudFormation. Assets are read where a stack nests another.
_NO_STACK: Final = frozenset({"cdk:asset-manifest", "cdk:tree", "cdk:feature-flag-report", "none"})
# <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>, by the start of the region's name.
_PARTITIONS: Final = {
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc-de": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}

_NOTHING: Final[Mapping[str, Any]] = {}
_IDENTITY: Final = slice(5)  # the first fields of a stack, which tell it from others


class Stack(NamedTuple):
    """One template and where it will be deployed; two are equal if their names, places and files are.

    `stage` is the construct path of the CDK stage it belongs to, "" for none. `parent` is set for a stack nested in
    another, with the logical id of the resource that nests it. `metadata` is what the CDK tells of the constructs in
    it, by path. `parameters` are the values that the assembly has the stack deployed with. `termination_protection`
    is None where the assembly does not say. `path` is its construct path; its name where the assembly does not say.
    """

    name: str
    stage: str
    account: str
    region: str
    file: Path
    template: Mapping[str, Json]
    paths: Mapping[str, str]
    parent: "tuple[Stack, str] | None" = None
    metadata: Mapping[str, list[Json]] = _NOTHING
    parameters: Mapping[str, Json] = _NOTHING
    termination_protection: bool | None = None
    path: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stack) and self[_IDENTITY] == other[_IDENTITY]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[_IDENTITY])

    @property
    def partition(self) -> str:
        """Of AWS: commercial, China or GovCloud, as the region tells."""
        return _PARTITIONS.get(self.region.rsplit("-", 2)[0], "aws")

    @property
    def where(self) -> str:
        """The template's file, from the assembly's folder down."""
        return "/".join(self.file.parts[-2:])


def read_assembly(folder: Path, refusals: Refusals | None = None) -> tuple[Stack, ...]:
    """Every stack of a cloud assembly, nested assemblies and nested stacks included, in the manifests' order.

    Raises:
        Refused: the folder is no assembly; or, without `refusals` to collect it, a file in it is missing or malformed.
    """
    if not (folder / "manifest.json").is_file():
        raise Refused("is no cloud assembly: it has no manifest.json (make one with `make synth`)", where=str(folder))
    collected = Refusals() if refusals is None else refusals
    stacks = tuple(_Reader(collected).assembly(folder, stage=""))
    if refusals is None:
        for refused in collected:
            raise refused
    return stacks


class _Reader:
    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._read: set[Path] = set()

    def assembly(self, folder: Path, *, stage: str) -> Iterator[Stack]:
        file = folder / "manifest.json"
        with self._refusals.collected():
            manifest = table(read_json(file), "the manifest", where=str(file))
            if file.resolve() in self._read:
                raise Refused("is an assembly that holds itself", where=str(file))
            self._read.add(file.resolve())
            if manifest.get("missing"):
                what = "lacks context: its templates hold placeholders until it is synthesized again"
                self._refusals.add(Refused(what, where=str(file)))
            artifacts = table(manifest.get("artifacts", {}), "artifacts", where=str(file))
            yield from self._artifacts(folder, artifacts, stage)

    def _artifacts(self, folder: Path, artifacts: Mapping[str, Json], stage: str) -> Iterator[Stack]:
        for name, value in artifacts.items():
            where = f"{folder.name}/{name}"
            with self._refusals.collected():
                artifact = table(value, "the artifact", where=where)
                properties = table(artifact.get("properties", {}), "properties", where=where)
                kind = artifact.get("type")
                if kind == "cdk:cloud-assembly":
                    inner = text(properties.get("directoryName"), "directoryName", where=where)
                    path = text(properties.get("displayName", inner), "displayName", where=where)
                    yield from self.assembly(folder / inner, stage=path)
                elif kind == "aws:cloudformation:stack":
                    stack = _stack(folder, name, artifact, stage)
                    yield stack
                    yield from self._nested(stack)
                elif not isinstance(kind, str) or kind not in _NO_STACK:
                    raise Refused(f"is an artifact of the unknown type {kind}", where=where)

    def _nested(self, parent: Stack) -> Iterator[Stack]:
        for logical_id, body in resources(parent.template):
            if body["Type"] != NESTED_STACK:
                continue
            with self._refusals.collected():
                where = parent.paths.get(logical_id, logical_id)
                file = nested_file(parent.file.parent, body)
                if file is None:
                    what = "is a nested stack whose template is not in the assembly"
                    raise Refused(what, where=where, template=parent.where)
                if _is_within(file, parent):
                    raise Refused("is a stack that nests itself", where=where, template=parent.where)
                template = table(read_json(file), "the template", where=str(file))
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
                yield from self._nested(stack)


def _stack(folder: Path, name: str, artifact: Mapping[str, Json], stage: str) -> Stack:
    where = f"{folder.name}/{name}"
    properties = table(artifact.get("properties", {}), "properties", where=where)
    environment = text(artifact.get("environment", ""), "environment", where=where)
    account, _, region = environment.removeprefix("aws://").partition("/")
    file = folder / text(properties.get("templateFile"), "templateFile", where=where)
    template = table(read_json(file), "the template", where=str(file))
    metadata = _metadata(folder, artifact, where)
    stack_name = text(properties.get("stackName", name), "stackName", where=where)
    return Stack(
        name=stack_name,
        stage=stage,
        account=account or UNKNOWN_ACCOUNT,
        region=region or UNKNOWN_REGION,
        file=file,
        template=template,
        paths=_paths(metadata, template),
        metadata=metadata,
        parameters=_assets(metadata) | table(properties.get("parameters", {}), "parameters", where=where),
        termination_protection=properties.get("terminationProtection"),
        path=text(artifact.get("displayName", stack_name), "displayName", where=where),
    )


def _metadata(folder: Path, artifact: Mapping[str, Json], where: str) -> dict[str, list[Json]]:
    """What stands in the manifest, and in a file of its own."""
    metadata = dict(table(artifact.get("metadata", {}), "metadata", where=where))
    if "additionalMetadataFile" in artifact:
        file = folder / text(artifact["additionalMetadataFile"], "additionalMetadataFile", where=where)
        metadata |= table(read_json(file), "metadata", where=str(file))
    return {path: entries for path, entries in metadata.items() if isinstance(entries, list)}


def _paths(metadata: Mapping[str, list[Json]], template: Mapping[str, Json]) -> dict[str, str]:
    """Construct paths by logical id: the resources' own metadata, or else the stack's."""
    told = {
        str(cast("dict[str, Json]", entry).get("data")): path.removeprefix("/")
        for path, entries in metadata.items()
        for entry in entries
        if isinstance(entry, dict) and cast("dict[str, Json]", entry).get("type") == "aws:cdk:logicalId"
    }
    return told | paths(template)


def _assets(metadata: Mapping[str, list[Json]]) -> dict[str, Json]:
    """Values of the parameters by which older versions of the CDK pass what they upload: places that nobody knows."""
    assets = [
        cast("dict[str, Json]", entry).get("data")
        for entries in metadata.values()
        for entry in entries
        if isinstance(entry, dict) and cast("dict[str, Json]", entry).get("type") == "aws:cdk:asset"
    ]
    return {
        value: unknown(f"place of an asset, {value}")
        for asset in assets
        if isinstance(asset, dict)
        for key, value in cast("dict[str, Json]", asset).items()
        if key.endswith("Parameter") and isinstance(value, str)
    }


def _is_within(file: Path, stack: Stack) -> bool:
    around: Stack | None = stack
    while around is not None:
        if around.file == file:
            return True
        around = around.parent[0] if around.parent else None
    return False
