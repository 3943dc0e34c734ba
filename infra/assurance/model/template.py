"""The shape of a CloudFormation template: its sections and resources, and what about them has no model.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from infra.assurance.model.files import Json, read_json, table, text
from infra.assurance.refusal import Refused

NESTED_STACK: Final = "AWS::CloudFormation::Stack"

_SECTIONS: Final = frozenset({
    "AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters",
    "Resources", "Rules", "Transform",
})  # fmt: skip
# Sections whose entries other parts of a template name.
_TABLES: Final = ("Conditions", "Mappings", "Outputs", "Parameters", "Resources")
_OBJECTS: Final = ("Properties", "Metadata")
# Adds functions, which are computed here, and loops, which are refused where they stand:
# <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html>.
_UNDERSTOOD_MACROS: Final = frozenset({"AWS::LanguageExtensions"})
# Types that bring resources which stand in none of the assembly's templates.
_BRINGS_OTHERS: Final = {
    "AWS::CloudFormation::StackSet": "deploys a template to other accounts and regions",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": "deploys the template of a product",
    "AWS::ServiceCatalog::CloudFormationProduct": "holds a template that others deploy",
    "AWS::Proton::EnvironmentTemplate": "holds a template that others deploy",
    "AWS::Proton::ServiceTemplate": "holds a template that others deploy",
}


def resources(template: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """Logical id and body of every resource that is formed as one; `flaws` has the others."""
    section = template.get("Resources")
    if isinstance(section, dict):
        for logical_id, body in cast("dict[str, Json]", section).items():
            if not logical_id.startswith("Fn::") and _flaw_of_body(body) is None:
                yield logical_id, body


def paths(template: Mapping[str, Json]) -> dict[str, str]:
    """Construct paths by logical id, where the resources' metadata tells them."""
    found = ((logical_id, _metadata(body).get("aws:cdk:path")) for logical_id, body in resources(template))
    return {logical_id: path for logical_id, path in found if isinstance(path, str) and path}


def nested_file(folder: Path, body: Mapping[str, Json]) -> Path | None:
    """The file of a nested stack's template, as its asset's metadata or else the assembly's list of assets says.

    Raises:
        Refused: a list of assets is malformed.
    """
    own = _metadata(body).get("aws:asset:path")
    if isinstance(own, str):
        return folder / own
    address = str(body.get("Properties", {}).get("TemplateURL"))
    return next((folder / path for key, path in _assets(folder) if key in address), None)


def flaws(template: Mapping[str, Json], where: str, names: Mapping[str, str]) -> Iterator[Refused]:
    """All that has no model in the shape of a template; `names` are construct paths by logical id."""
    for section in template:
        if section.startswith("Fn::"):
            yield _loop(section, where, where)
        elif section not in _SECTIONS:
            yield Refused(f"{section} is no section of a template", where=where)
    for section in _TABLES:
        yield from _flaws_of_section(template.get(section, {}), section, where)
    for macro in _macros(template.get("Transform", [])):
        yield Refused(f"is rewritten by the macro {macro} when it is deployed", where=where)
    section = template.get("Resources")
    for logical_id, body in cast("dict[str, Json]", section).items() if isinstance(section, dict) else ():
        flaw = None if logical_id.startswith("Fn::") else _flaw_of_body(body) or _brings_others(body["Type"])
        if flaw:
            yield Refused(flaw, where=names.get(logical_id, logical_id), template=where)


def _flaws_of_section(entries: Json, section: str, where: str) -> Iterator[Refused]:
    if not isinstance(entries, dict):
        yield Refused(f"the section {section} is no JSON object", where=where)
        return
    for name, entry in cast("dict[str, Json]", entries).items():
        if name.startswith("Fn::"):
            yield _loop(name, section, where)
        elif section != "Resources" and not isinstance(entry, dict):
            yield Refused(f"{name} of {section} is no JSON object", where=where)


def _flaw_of_body(body: Json) -> str | None:
    if not isinstance(body, dict):
        return "is no resource: no JSON object"
    entries = cast("dict[str, Json]", body)
    if not isinstance(entries.get("Type"), str):
        return "is no resource: it has no Type"
    for name in entries:
        if name.startswith("Fn::"):
            return "is written by a macro when it is deployed"
    for name in _OBJECTS:
        if name in entries and not isinstance(entries[name], dict):
            return f"is no resource: {name} is no JSON object"
    return None


def _brings_others(type_: str) -> str | None:
    if type_.endswith("::MODULE"):
        return f"is the module {type_}: its resources are not in the assembly"
    if type_.startswith("AWS::Serverless::"):
        return f"is {type_}: a macro makes other resources of it when it is deployed"
    return _BRINGS_OTHERS.get(type_)


def _loop(name: str, where: str, template: str) -> Refused:
    return Refused(f"{name} makes entries when it is deployed", where=where, template=template)


def _macros(transform: Json) -> Iterator[str]:
    for macro in cast("list[Json]", transform) if isinstance(transform, list) else [transform]:
        name = cast("dict[str, Json]", macro).get("Name") if isinstance(macro, dict) else macro
        if not isinstance(name, str) or name not in _UNDERSTOOD_MACROS:
            yield str(name)


def _metadata(body: Mapping[str, Json]) -> dict[str, Json]:
    return body.get("Metadata", {})


def _assets(folder: Path) -> Iterator[tuple[str, str]]:
    """What files are called where they are uploaded to, and their path in the assembly."""
    for file in sorted(folder.glob("*.assets.json")):
        where = str(file)
        listed = table(table(read_json(file), "the list", where=where).get("files", {}), "files", where=where)
        for value in listed.values():
            asset = table(value, "an asset", where=where)
            source = table(asset.get("source", {}), "source", where=where)
            for given in table(asset.get("destinations", {}), "destinations", where=where).values():
                destination = table(given, "a destination", where=where)
                if "path" in source and "objectKey" in destination:
                    key = text(destination["objectKey"], "objectKey", where=where)
                    yield key, text(source["path"], "path", where=where)
