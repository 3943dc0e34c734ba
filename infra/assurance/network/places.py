"""Where interfaces are: VPCs, their subnets, and the routes that lead out of them."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from infra.assurance.model.identity import attribute, is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.addresses import IPV4, IPV6, Addresses, addresses, everything
from infra.assurance.network.paths import values
from infra.assurance.refusal import Refused

GLOBAL_UNICAST: Final = addresses("2000::/3")
"""Where the IPv6 blocks of VPCs are that AWS, or a pool of the account's own, assigns.

<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
"""
INTERNET_GATEWAY: Final = "internet gateway"
TRANSLATION: Final = "NAT"
EGRESS_ONLY: Final = "egress-only internet gateway"

# What a route's target is by the property that names it. An instance or an interface that is a route's target
# forwards packets: it is a NAT of one's own. Others lead to networks that no template describes.
_TARGETS: Final = {
    "NatGatewayId": TRANSLATION,
    "InstanceId": TRANSLATION,
    "NetworkInterfaceId": TRANSLATION,
    "EgressOnlyInternetGatewayId": EGRESS_ONLY,
}
_ELSEWHERE: Final = (
    "CarrierGatewayId", "CoreNetworkArn", "LocalGatewayId", "OdbNetworkArn", "TransitGatewayId",
    "VpcEndpointId", "VpcPeeringConnectionId",
)  # fmt: skip


class Way(NamedTuple):
    """A route out of a VPC: where to, and by what."""

    destination: Addresses
    by: str
    resource: Resource


class Subnet(NamedTuple):
    """A subnet. Without a resource it is only named by its id, and nothing else is known of it.

    `unknown` are the families in which it has addresses that no template tells.
    """

    id: str
    vpc: str | None
    blocks: tuple[Addresses, ...] = ()
    unknown: frozenset[int] = frozenset({IPV4, IPV6})
    ways: tuple[Way, ...] = ()
    gateway_endpoints: tuple[Resource, ...] = ()
    gives_public_address: bool = False
    resource: Resource | None = None

    @property
    def families(self) -> frozenset[int]:
        """The address families in which it has addresses."""
        return self.unknown.union(block.family for block in self.blocks)


class Vpc(NamedTuple):
    """A VPC: the addresses that are its own, and its default security group's id."""

    id: str
    resource: Resource
    default_group: str
    blocks: tuple[Addresses, ...] = ()
    has_internet_gateway: bool = False


class Places:
    """Every VPC and subnet of a model, by id."""

    def __init__(self, vpcs: Mapping[str, Vpc], subnets: Mapping[str, Subnet]) -> None:
        self.vpcs = vpcs
        self.subnets = subnets
        self._unheard: dict[str, Subnet] = {}

    def subnet(self, id_: str) -> Subnet:
        """The subnet of the id, even if no template has it."""
        return self.subnets.get(id_) or self._unheard.setdefault(id_, Subnet(id_, None))

    def families(self, vpc: str) -> frozenset[int]:
        """The address families in which anything in a VPC may have addresses; all, of one that no template has."""
        own = (subnet.families for subnet in self.subnets.values() if subnet.vpc == vpc)
        return frozenset[int]().union(*own) if vpc in self.vpcs else frozenset({IPV4, IPV6})


def places(model: Model) -> Places:
    """Read the VPCs, subnets and routes of a model; what cannot be read is among the model's refusals."""
    routes = _ways(model)
    endpoints = _gateway_endpoints(model)
    tables: dict[str, str] = {}
    for association in model.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        with model.refusals.collected():
            tables[association.text("SubnetId") or ""] = association.text("RouteTableId") or ""
    subnets: dict[str, Subnet] = {}
    for resource in model.of_type("AWS::EC2::Subnet"):
        with model.refusals.collected():
            table = tables.get(resource.ref, "")
            subnets[resource.ref] = _subnet(model, resource, routes.get(table, ()), endpoints.get(table, ()))
    vpcs: dict[str, Vpc] = {}
    for resource in model.of_type("AWS::EC2::VPC"):
        with model.refusals.collected():
            vpcs[resource.ref] = _vpc(model, resource, subnets.values())
    return Places(vpcs, subnets)


def block(resource: Resource, given: object) -> Addresses:
    """The range that a template's text names.

    Raises:
        Refused: it names none, or only a deployment knows it.
    """
    if not isinstance(given, str) or is_unknown(given):
        raise resource.refuse(f"the address range {given} is known only at deployment")
    try:
        return addresses(given)
    except ValueError as error:
        raise resource.refuse(f"{given} is no address range") from error


def _subnet(model: Model, resource: Resource, ways: tuple[Way, ...], endpoints: tuple[Resource, ...]) -> Subnet:
    known: list[Addresses] = []
    unknown: set[int] = set()
    extra = [
        block_ for block_ in model.of_type("AWS::EC2::SubnetCidrBlock") if block_.value("SubnetId") == resource.ref
    ]
    sources = [(resource, "CidrBlock", IPV4), (resource, "Ipv6CidrBlock", IPV6)]
    sources += [(one, "Ipv6CidrBlock", IPV6) for one in extra]
    for source, key, family in sources:
        if key not in source.body.get("Properties", {}):
            continue
        try:
            known.append(block(source, source.value(key)))
        except Refused:
            unknown.add(family)
    if resource.value("Ipv4IpamPoolId"):
        unknown.add(IPV4)
    if resource.value("Ipv6IpamPoolId") or any(one.value("Ipv6IpamPoolId") for one in extra):
        unknown.add(IPV6)
    return Subnet(
        id=resource.ref,
        vpc=resource.text("VpcId"),
        blocks=tuple(known),
        unknown=frozenset(unknown),
        ways=ways,
        gateway_endpoints=endpoints,
        gives_public_address=str(resource.value("MapPublicIpOnLaunch")).lower() == "true",
        resource=resource,
    )


def _vpc(model: Model, resource: Resource, subnets: Iterable[Subnet]) -> Vpc:
    own: list[Addresses] = [known for subnet in subnets if subnet.vpc == resource.ref for known in subnet.blocks]
    if resource.value("CidrBlock"):
        own.append(block(resource, resource.value("CidrBlock")))
    for extra in model.of_type("AWS::EC2::VPCCidrBlock"):
        if extra.value("VpcId") == resource.ref:
            own += [block(extra, given) for key in ("CidrBlock", "Ipv6CidrBlock") if (given := extra.value(key))]
    gateways = [
        one
        for one in model.of_type("AWS::EC2::VPCGatewayAttachment")
        if one.value("VpcId") == resource.ref and one.value("InternetGatewayId")
    ]
    return Vpc(resource.ref, resource, str(attribute(resource, "DefaultSecurityGroup")), tuple(own), bool(gateways))


def _ways(model: Model) -> dict[str, tuple[Way, ...]]:
    found: dict[str, tuple[Way, ...]] = {}
    for route in model.of_type("AWS::EC2::Route"):
        with model.refusals.collected():
            table = route.text("RouteTableId") or ""
            found[table] = (*found.get(table, ()), *_route(model, route))
    return found


def _route(model: Model, route: Resource) -> list[Way]:
    for key in _ELSEWHERE:
        if route.value(key):
            raise route.refuse(f"leads to {route.value(key)}, a network that no template describes")
    gateway = route.value("GatewayId")
    if gateway and not model.find(gateway, "AWS::EC2::InternetGateway") and not str(gateway).startswith("igw-"):
        raise route.refuse(f"leads by {gateway}, which is no internet gateway of the templates")
    by = INTERNET_GATEWAY if gateway else next((by for key, by in _TARGETS.items() if route.value(key)), None)
    if by is None:
        raise route.refuse("has a target that the proof does not know")
    given = [route.value(key) for key in ("DestinationCidrBlock", "DestinationIpv6CidrBlock")]
    destinations = [block(route, one) for one in given if one]
    if not destinations:  # a prefix list: which addresses is not in the templates, so any
        destinations = [everything(IPV4), everything(IPV6)]
    return [Way(destination, by, route) for destination in destinations]


def _gateway_endpoints(model: Model) -> dict[str, tuple[Resource, ...]]:
    found: dict[str, tuple[Resource, ...]] = {}
    for endpoint in model.of_type("AWS::EC2::VPCEndpoint"):
        with model.refusals.collected():
            if endpoint.value("VpcEndpointType") in (None, "Gateway"):
                for table in map(str, values(endpoint, "RouteTableIds")):
                    found[table] = (*found.get(table, ()), endpoint)
    return found
