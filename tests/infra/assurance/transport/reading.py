"""Models of a few resources, written by hand, and the rows that transport, rest and posture make of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model, read_models
from infra.assurance.transport.hops import hops
from infra.assurance.transport.posture import postures
from infra.assurance.transport.rest import at_rest
from tests.infra.assurance.assembly import write

Json = dict[str, Any]


def resource(kind: str, /, *, path: str = "", **properties: Any) -> Json:
    """A resource of a template; `path` is its construct path."""
    metadata: Json = {"Metadata": {"aws:cdk:path": path}} if path else {}
    return {"Type": kind, "Properties": properties, **metadata}


def model_of(folder: Path, resources: Mapping[str, Json], **more: Any) -> Model:
    """One stack of the resources, by logical id, in the world in which all conditions hold."""
    return read_models(write(folder, {"App": {"Resources": dict(resources), **more}}))[0]


def edge(source: str, target: str, ports: str) -> Fact:
    """A row of who reaches whom."""
    return Fact(Relation.REACHES, (source, target, ports))


def hops_of(model: Model, *edges: tuple[str, str, str]) -> set[tuple[str, ...]]:
    """The rows that the edges speak, nothing refused."""
    found = {fact.values for fact in hops(model, [edge(*each) for each in edges])}
    assert not [str(refused) for refused in model.refusals]
    return found


def spoken(model: Model, source: str, target: str, ports: str) -> set[tuple[str, ...]]:
    """Protocol and TLS of one edge."""
    return {values[2:] for values in hops_of(model, (source, target, ports)) if values[:2] == (source, target)}


def rest_of(model: Model) -> dict[str, tuple[str, ...]]:
    """Encryption and key by store, nothing refused."""
    found = {fact.values[0]: fact.values[1:] for fact in at_rest(model)}
    assert not [str(refused) for refused in model.refusals]
    return found


def postures_of(model: Model, name: str) -> dict[str, str]:
    """Value by quality of one resource, nothing refused."""
    found = {fact["quality"]: fact["value"] for fact in postures(model) if fact["resource"] == name}
    assert not [str(refused) for refused in model.refusals]
    return found
