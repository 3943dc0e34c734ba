"""Types of services that MiniStack does not have: a line in the journal is all that they are."""

import uuid
from collections.abc import Callable

from rehearsal.plugin import ministack
from rehearsal.plugin.handlers import Json, register

_ATTRIBUTES: dict[str, Callable[[str, Json], Json]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": lambda _, __: {},
    "AWS::ApplicationAutoScaling::ScalingPolicy": lambda _, __: {},
    "AWS::Budgets::Budget": lambda _, __: {},
    "AWS::CloudTrail::Trail": lambda name, _: {"Arn": ministack.arn("cloudtrail", f"trail/{name}")},
    "AWS::CodePipeline::Pipeline": lambda _, __: {"Version": "1"},
    "AWS::Route53Resolver::FirewallDomainList": lambda name, _: {"Id": name},
    "AWS::Route53Resolver::FirewallRuleGroup": lambda name, _: {"Id": name},
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": lambda name, _: {"Id": name},
}
"""By type, what ``Fn::GetAtt`` is worth for a physical id and properties."""


def install() -> None:
    """Make them known."""
    for kind, attributes in _ATTRIBUTES.items():
        register(kind, _create(attributes), _nothing, how="recorded")


def _nothing(_: str, __: Json) -> None:
    """It never was."""


def _create(attributes: Callable[[str, Json], Json]) -> Callable[[str, Json, str], tuple[str, Json]]:
    def create(logical: str, properties: Json, stack: str) -> tuple[str, Json]:
        name = f"{stack}-{logical}-{uuid.uuid4().hex[:8]}"
        return name, attributes(name, properties)

    return create
