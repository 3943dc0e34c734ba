"""Hand-written templates, read as models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.assurance.model.model import Model, read_models
from infra.assurance.model.resource import Resource
from tests.infra.assurance.assembly import write

Template = Mapping[str, Any]


def holder(value: object, **sections: object) -> dict[str, Any]:
    """A template with a resource `Holder` that has the value as its property `It`."""
    return {"Resources": {"Holder": {"Type": "Test::Holder", "Properties": {"It": value}}}, **sections}


def models(folder: Path, template: Template) -> tuple[Model, ...]:
    """The models of an assembly with the one template, a stack called `Stack`."""
    return read_models(write(folder, {"Stack": template}))


def model(folder: Path, template: Template) -> Model:
    """The model of it in its only world."""
    (only,) = models(folder, template)
    return only


def resource(model: Model, logical_id: str, stack: str = "Stack") -> Resource:
    """A resource by its stack's name and its logical id."""
    (found,) = (each for each in model.resources if (each.stack.name, each.logical_id) == (stack, logical_id))
    return found


def held(folder: Path, value: object, **sections: object) -> Any:
    """What a value in a template is in its only world."""
    return resource(model(folder, holder(value, **sections)), "Holder").value("It")


def refused(model: Model) -> list[str]:
    """All that was refused, as people read it."""
    return [str(refusal) for refusal in model.refusals]
