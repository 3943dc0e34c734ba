"""What the tests of the load balancer and of the firewall have in common."""

import json

from tests.infra.promise import Mutation, Stacks
from tests.infra.template import Json

BALANCER, LISTENER, RULE, TARGETS = (
    f"AWS::ElasticLoadBalancingV2::{kind}" for kind in ("LoadBalancer", "Listener", "ListenerRule", "TargetGroup")
)


def attributes_of(properties: Json, name: str) -> dict[str, object]:
    """Attributes by their keys."""
    return {attribute["Key"]: attribute["Value"] for attribute in properties.get(name, [])}


def set_attribute(resource_type: str, name: str, key: str, value: str) -> Mutation:
    """Give one attribute of each resource of a type another value."""

    def mutate(stacks: Stacks) -> None:
        changed = 0
        for properties in stacks.properties(resource_type):
            for attribute in properties[name]:
                if attribute["Key"] == key:
                    attribute["Value"], changed = value, changed + 1
        assert changed, f"no {resource_type} has {key}"

    return mutate


def is_problem(text: str, status: int) -> bool:
    """Whether ``text`` is a problem document (RFC 9457) about ``status``."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    texts = [document.get(member) for member in ("type", "title", "detail")]
    return document.get("status") == status and all(isinstance(t, str) and t for t in texts)
