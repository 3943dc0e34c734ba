"""Listeners of load balancers: MiniStack leaves the attributes out that a new one has."""

from rehearsal.plugin.client import client
from rehearsal.plugin.handlers import Json, Made, table, threaded
from rehearsal.plugin.journal import note

KIND = "AWS::ElasticLoadBalancingV2::Listener"


def install() -> None:
    """Set them."""
    handler = table()[KIND]
    create = handler["create"]

    def created(logical: str, properties: Json, stack: str) -> Made:
        arn, attributes = create(logical, properties, stack)
        if given := properties.get("ListenerAttributes"):
            client("elbv2").modify_listener_attributes(ListenerArn=arn, Attributes=given)
        return arn, attributes

    handler["create"] = created
    threaded(KIND)
    note("repaired", KIND)
    note("bypassed", "Elastic Load Balancing: HAProxy stands for it; no access logs, no firewall, its own TLS settings")
