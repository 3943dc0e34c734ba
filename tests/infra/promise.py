"""Promises: tests of one environment's templates, each with changes of the templates that it has to notice.

A promise is a test by its name and is run on every environment as it was synthesized; then once more on prod for each
of its mutations, where it has to fail. So no check can pass whatever the templates say.
"""

import copy
import marshal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from infra.settings import Environment, read_environments
from tests.infra.template import Json, Template

ENVIRONMENTS = {environment.name: environment for environment in read_environments()}


@dataclass(frozen=True)
class Stacks:
    """All stacks of one environment, by name."""

    settings: Environment
    templates: dict[str, Template]

    def __getitem__(self, stack: str) -> Template:
        return self.templates[stack]

    def resources(self, *types: str) -> Iterator[tuple[str, Json]]:
        """Logical id and resource, of all or of ``types``, over all stacks."""
        for template in self.templates.values():
            yield from template.resources(*types).items()

    def properties(self, *types: str) -> list[Json]:
        """The properties of every resource of ``types``."""
        return [resource.get("Properties", {}) for _, resource in self.resources(*types)]


Mutation = Callable[[Stacks], None]
"""Changes templates in place."""
Check = Callable[[Stacks], None]


def environment_of(templates: dict[tuple[str, str], Template], name: str) -> Stacks:
    """The stacks of the environment ``name``."""
    return Stacks(
        ENVIRONMENTS[name], {stack: t for (environment, stack), t in templates.items() if environment == name}
    )


class _Copy(Template):
    """A template that is copied when somebody asks for what is in it: a mutation is about one or two of five."""

    def __init__(self, of: Template) -> None:
        vars(self).update({name: value for name, value in vars(of).items() if name != "body"}, of=of)

    def __getattr__(self, name: str) -> Json:
        if name != "body":
            raise AttributeError(name)
        # As `copy.deepcopy`, but in a tenth of its time.
        body: Json = marshal.loads(marshal.dumps(vars(self)["of"].body))  # noqa: S302  # ours
        vars(self)["body"] = body
        return body

    def resources(self, *types: str) -> dict[str, Json]:
        return super().resources(*types) if "body" in vars(self) or vars(self)["of"].resources(*types) else {}

    @property
    def is_touched(self) -> bool:
        """Whether somebody asked what is in it, and may have changed that, or changed the rest."""
        of: Template = vars(self)["of"]
        return vars(self) != {name: value for name, value in vars(of).items() if name != "body"} | {"of": of}


def _mutated(stacks: Stacks, mutation: Mutation) -> Stacks:
    """``stacks`` after ``mutation``, with copies of what it asked for."""
    copies = {name: _Copy(template) for name, template in stacks.templates.items()}
    changed = Stacks(stacks.settings, dict(copies))
    mutation(changed)
    for name, template in stacks.templates.items():
        if changed.templates.get(name) is copies[name] and not copies[name].is_touched:
            changed.templates[name] = template
    return changed


def keep_or_break(check: Check, stacks: Stacks, mutation: Mutation | None) -> None:
    """Have ``check`` pass on ``stacks`` as they are, or fail on a copy after ``mutation``."""
    if mutation is None:
        check(stacks)
        return
    changed = _mutated(stacks, mutation)
    with pytest.raises(AssertionError):
        check(changed)


def promise(*, mutated_in: str = "prod", **mutations: Mutation) -> Callable[[Check], Callable[..., None]]:
    """Make a test of ``check``, which asserts something of ``Stacks`` and fails after each of ``mutations``."""

    def made(check: Check) -> Callable[..., None]:
        cases = [(name, None) for name in ENVIRONMENTS] + [(mutated_in, mutation) for mutation in mutations]
        ids = [f"{name}-{mutation}" if mutation else name for name, mutation in cases]

        @pytest.mark.parametrize(("name", "mutation"), cases, ids=ids)
        def test(name: str, mutation: str | None, templates: dict[tuple[str, str], Template]) -> None:
            keep_or_break(check, environment_of(templates, name), mutations[mutation] if mutation else None)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return made


def setting(resource_type: str, path: str, value: object) -> Mutation:
    """Set the property at ``path`` (``A.B.0.C``) of every resource of a type; one at least has to have its parent."""
    parents, last = _parents(path)

    def mutate(stacks: Stacks) -> None:
        changed = 0
        for properties in stacks.properties(resource_type):
            parent = _at(properties, parents)
            if isinstance(parent, list) and int(last) < len(parent):
                cast("list[object]", parent)[int(last)] = value
                changed += 1
            elif isinstance(parent, dict):
                parent[last] = value
                changed += 1
        assert changed, f"no {resource_type} has {path}"

    return mutate


def _parents(path: str) -> tuple[list[str], str]:
    *parents, last = path.split(".")
    return parents, last


def _at(value: Json | list[Json] | None, path: list[str]) -> Json | list[Json] | None:
    """What is at ``path``; nothing where there is no such thing."""
    for key in path:
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        elif value is not None:
            value = value.get(key)
    return value


def without(resource_type: str, path: str | None = None) -> Mutation:
    """Remove the property at ``path`` of every resource of a type, or the resources themselves."""

    def mutate(stacks: Stacks) -> None:
        removed = 0
        for template in stacks.templates.values():
            for logical_id, resource in list(template.resources(resource_type).items()):
                if path is None:
                    del template.body["Resources"][logical_id]
                    removed += 1
                    continue
                parents, last = _parents(path)
                parent = _at(resource.get("Properties", {}), parents)
                if isinstance(parent, dict) and last in parent:
                    del parent[last]
                    removed += 1
        assert removed, f"no {resource_type}{f' has {path}' if path else ''}"

    return mutate


def adding(stack: str, logical_id: str, resource: Json) -> Mutation:
    """Add a resource to a stack."""

    def mutate(stacks: Stacks) -> None:
        stacks[stack].body["Resources"][logical_id] = copy.deepcopy(resource)

    return mutate
