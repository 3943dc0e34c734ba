"""Links of an API Gateway REST API into a VPC: requests go to the network load balancers that they name.

<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-private-integration.html>
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.model.resource import Resource
from infra.assurance.network.admission import Network
from infra.assurance.network.interfaces import Interface
from infra.assurance.network.paths import values
from infra.assurance.network.ports import Traffic
from infra.assurance.network.special import listening

_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def links(network: Network) -> Iterator[tuple[Resource, Interface, tuple[Traffic, ...]]]:
    """Each link, the load balancer it leads to, and where that listens; what no template has is refused.

    PrivateLink carries the requests: no route and no address range of the VPC decides about them.
    """
    for link in network.model.of_type("AWS::ApiGateway::VpcLink"):
        for arn in values(link, "TargetArns"):
            with network.model.refusals.collected():
                balancer = network.model.find(arn, _BALANCER)
                sides = [side for side in network.interfaces if side.resource is balancer]
                if not sides:
                    raise link.refuse(f"leads to {arn}, which no template has")
                for side in sides:
                    yield link, side, listening(network.model, side.resource)
