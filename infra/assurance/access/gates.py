"""What VPC endpoints let through: whoever is inside may send what they know to an account of their own, if it passes.

<https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>: an endpoint without a policy has one
that allows everything. So have those of services that take none.
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.access.policies.document import Statement
from infra.assurance.access.reading import document, reading
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

LETS_THROUGH: Final = "lets through"
_EVERYTHING: Final = "* on *"
# Such endpoints carry packets to what runs in a VPC, and ask nobody.
_NO_POLICY: Final = frozenset({"GatewayLoadBalancer", "Resource", "ServiceNetwork"})


def let_through(model: Model) -> list[Fact]:
    """A fact for each statement of an endpoint's policy that allows something."""
    found: list[Fact] = []
    for endpoint in model.of_type("AWS::EC2::VPCEndpoint"):
        with reading(model, endpoint):
            if endpoint.value("VpcEndpointType") not in _NO_POLICY:
                for value in dict.fromkeys(_said(endpoint)):
                    path = (f"the policy of {endpoint.name} allows {value}",)
                    found.append(Fact(Relation.POSTURE, (endpoint.name, LETS_THROUGH, value), (endpoint,), path))
    return found


def _said(endpoint: Resource) -> Iterator[str]:
    text = endpoint.value("PolicyDocument")
    if not text:
        yield _EVERYTHING
        return
    for statement in document(text, endpoint).statements:
        if statement.allows:
            conditions = " and ".join(map(str, statement.conditions))
            yield _meant(statement) + (f" if {conditions}" if conditions else "")


def _meant(statement: Statement) -> str:
    actions = _all_of(statement.actions, statement.not_actions)
    return f"{actions} on {_all_of(statement.resources, statement.not_resources)}"


def _all_of(named: tuple[str, ...] | None, left_out: tuple[str, ...] | None) -> str:
    if left_out is not None:
        return f"all but {', '.join(sorted(left_out))}"
    return ", ".join(sorted(named or ("*",)))
