"""A rule that a resource breaks."""

from typing import NamedTuple

from infra.assurance.model.assembly import Stack
from infra.assurance.model.template import resources


class Finding(NamedTuple):
    """What a tool says of a resource."""

    rule: str
    """Who judges, and its name for the rule: `ControlTower::CT.RDS.PR.3`."""
    resource: str
    """Its whole construct path; type and logical id where it has none; else the template's file."""
    message: str
    template: str = ""
    """The file it stands in."""

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.resource}: {self.rule}: {self.message}" + (f" ({self.template})" if self.template else "")


def resource_of(stack: Stack, logical_id: str) -> str:
    """What findings call a resource of a stack."""
    if path := stack.paths.get(logical_id):
        return path
    body = dict(resources(stack.template)).get(logical_id)
    return f"{body['Type']} {logical_id}" if body else stack.where
