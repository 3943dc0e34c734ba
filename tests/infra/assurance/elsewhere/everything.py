"""All that the proof knows of an assembly, asked so that an error of the proof itself fails a test."""

from dataclasses import dataclass, field
from pathlib import Path

from infra.assurance.access.facts import access
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import read_models
from infra.assurance.network.graph import reachability
from infra.assurance.second_opinion.solver import disagreements
from infra.assurance.transport.hops import hops
from infra.assurance.transport.posture import postures
from infra.assurance.transport.rest import at_rest


@dataclass
class Everything:
    """Facts of every world and part, and what was refused."""

    facts: list[Fact] = field(default_factory=list[Fact])
    refused: list[str] = field(default_factory=list[str])
    disagreements: list[str] = field(default_factory=list[str])

    def of(self, relation: Relation) -> set[tuple[str, ...]]:
        """The rows of one relation."""
        return {fact.values for fact in self.facts if fact.relation is relation}


def everything(folder: Path) -> Everything:
    """Ask every part in every world."""
    found = Everything()
    models = read_models(folder)
    for model in models:
        reaches = reachability(model)
        found.facts += [*reaches, *access(model), *hops(model, reaches), *at_rest(model), *postures(model)]
        found.disagreements += disagreements(model, reaches)
    found.refused = [str(refused) for refused in models[0].refusals]
    return found
