"""Two versions of the same stacks, from cloud assemblies or from folders of templates as they are deployed.

A folder of templates has a JSON file for every stack: `<stack name>.json`, as `aws cloudformation get-template` writes
it (its answer, or the template alone); stacks that have the same name in several accounts lie in folders
`<account>/<region>/`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias, cast

from infra.assurance.model.assembly import Stack, read_assembly
from infra.assurance.model.conditions import World
from infra.assurance.model.files import Json, read_json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.refusal import Refusals, Refused

Key: TypeAlias = "tuple[str, str, str]"
"""Stack name, account, region: what a deployment goes by."""
UNKNOWN: Final = ""
MAX_CONDITIONS: Final = 6
"""That decide values: each doubles the ways to look at."""
DECIDING: Final = ("Conditions", "Parameters", "Mappings")
"""Sections of a template that decide how its conditions turn out."""
_ACCOUNT: Final = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class Versions:
    """All stacks before and after, in one of the ways that conditions can turn out."""

    old: Model
    new: Model

    def pairs(self) -> Iterator[tuple[Key, Resource | None, Resource | None]]:
        """Every resource of either, by stack and logical id; None where one version does not have it."""
        before, after = _by_key(self.old), _by_key(self.new)
        for key in dict.fromkeys((*before, *after)):
            old, new = before.get(key, {}), after.get(key, {})
            for logical_id in dict.fromkeys((*old, *new)):
                yield key, old.get(logical_id), new.get(logical_id)


def key_of(stack: Stack) -> Key:
    """What identifies it in both versions."""
    return stack.name, stack.account, stack.region


def read_versions(old: Path, new: Path, refusals: Refusals) -> list[Versions]:
    """Both, in every world of the conditions that decide values.

    A condition that is defined alike in both versions turns out alike.

    Raises:
        Refused: a folder or a file in it cannot be read, or more conditions decide than can be tried.
    """
    before, after = _read(old), _read(new)
    before, after = _placed(before, after), _placed(after, before)
    for stacks, folder in ((before, old), (after, new)):
        if len({key_of(stack) for stack in stacks}) < len(stacks):
            raise Refused("has two templates for one stack", where=str(folder))
    decisions = _decisions(before, after)
    if len(decisions) > MAX_CONDITIONS:
        raise Refused(f"{len(decisions)} conditions decide values, at most {MAX_CONDITIONS} are tried", where=str(new))
    return [
        Versions(*(Model(stacks, _world(stacks, side, decisions, held), refusals)
                   for side, stacks in enumerate((before, after))))
        for held in product((True, False), repeat=len(decisions))
    ]  # fmt: skip


_Decision: TypeAlias = "tuple[Key, str, frozenset[int]]"  # the stack, the condition's name, the versions it is about


def _decisions(before: tuple[Stack, ...], after: tuple[Stack, ...]) -> list[_Decision]:
    used = [{(key_of(stack), name) for stack in stacks for name in _conditions(stack)} for stacks in (before, after)]
    definitions = [{key_of(stack): _deciding(stack) for stack in stacks} for stacks in (before, after)]
    decisions: set[_Decision] = set()
    for key, name in used[0] | used[1]:
        if definitions[0].get(key) == definitions[1].get(key):
            decisions.add((key, name, frozenset((0, 1))))
        else:
            decisions |= {(key, name, frozenset((side,))) for side in (0, 1) if (key, name) in used[side]}
    return sorted(decisions, key=str)


def _conditions(stack: Stack) -> set[str]:
    return {name for part in ("Resources", "Outputs") for name in _deciders(stack.template.get(part, {}))}


def _deciders(value: Json) -> Iterator[str]:
    """Names of the conditions that decide between values in it."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Json]", value).items():
            if key == "Fn::If" and isinstance(inner, list) and inner:
                yield str(cast("list[Json]", inner)[0])
            yield from _deciders(inner)
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _deciders(inner)


def _deciding(stack: Stack) -> list[Json]:
    return [stack.template.get(section) for section in DECIDING]


def _world(stacks: tuple[Stack, ...], side: int, decisions: list[_Decision], held: tuple[bool, ...]) -> World:
    by_key = {key_of(stack): stack for stack in stacks}
    return {
        (by_key[key], name): holds
        for (key, name, sides), holds in zip(decisions, held, strict=True)
        if side in sides and key in by_key
    }


def _by_key(model: Model) -> dict[Key, dict[str, Resource]]:
    return {key_of(stack): scope.resources for stack, scope in model.scopes.items()}


def _read(folder: Path) -> tuple[Stack, ...]:
    if (folder / "manifest.json").is_file():
        # The manifest says it only of stacks that are protected.
        return tuple(s._replace(termination_protection=bool(s.termination_protection)) for s in read_assembly(folder))
    stacks = tuple(_template(file) for file in sorted(folder.rglob("*.json")) if not _is_beside(file))
    if not stacks:
        raise Refused("has neither a manifest.json nor templates (*.json)", where=str(folder))
    return stacks


def _is_beside(file: Path) -> bool:
    """Other files that the CDK writes beside its templates."""
    return file.name.endswith((".assets.json", ".metadata.json", ".config.json")) or file.name in {
        "tree.json",
        "validation-report.json",
    }


def _template(file: Path) -> Stack:
    content = read_json(file)
    template = cast("dict[str, Json]", content) if isinstance(content, dict) else {}
    if isinstance(template.get("TemplateBody"), dict):
        template = cast("dict[str, Json]", template["TemplateBody"])
    if not isinstance(template.get("Resources"), dict):
        raise Refused("is no template in JSON", where=str(file))
    resources = cast("dict[str, dict[str, Json]]", template["Resources"])
    for logical_id, body in resources.items():
        if body.get("Type") == "AWS::CloudFormation::Stack":
            raise Refused("is a nested stack, which only an assembly tells apart", where=logical_id, template=file.name)
    paths = {i: path for i, body in resources.items() if (path := body.get("Metadata", {}).get("aws:cdk:path"))}
    known = _ACCOUNT.fullmatch(file.parent.parent.name)
    return Stack(
        name=_stem(file),
        stage="",
        account=file.parent.parent.name if known else UNKNOWN,
        region=file.parent.name if known else UNKNOWN,
        file=file,
        template=template,
        paths=paths,
    )


def _stem(file: Path) -> str:
    return file.name.removesuffix(".json").removesuffix(".template")


def _placed(stacks: tuple[Stack, ...], others: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """What a file of a template does not tell of its stack, taken from the other version of it."""

    def placed(stack: Stack) -> Stack:
        if stack.account != UNKNOWN:
            return stack
        same = [other for other in others if stack.name in {other.name, _stem(other.file)}]
        if len(same) > 1:
            raise Refused(
                f"could be any of {len(same)} stacks: put it into a folder <account>/<region>", where=str(stack.file)
            )
        if not same:
            return stack
        return stack._replace(name=same[0].name, stage=same[0].stage, account=same[0].account, region=same[0].region)

    return tuple(placed(stack) for stack in stacks)
