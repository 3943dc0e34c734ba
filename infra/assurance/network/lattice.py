"""VPC Lattice: who calls a service through a service network, and whom a service hands its requests to.

A client needs three things: its VPC is associated with a network of the service, its groups let it out to Lattice, and
the association's groups let it in; an association without groups lets in the whole VPC.
<https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html>

Which prefix list is Lattice's stands in no template. So a rule for a prefix list that no template defines counts as one
for Lattice's: it can say too much, never too little.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from infra.assurance.model.resource import Resource
from infra.assurance.network.addresses import addresses
from infra.assurance.network.admission import Admitted, Network, matches, toward
from infra.assurance.network.groups import Rule
from infra.assurance.network.interfaces import Interface
from infra.assurance.network.paths import identifier, values
from infra.assurance.network.ports import EGRESS, INGRESS, TCP, Traffic, common, traffic

# <https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html>, the managed prefix lists.
_LATTICE: Final = (addresses("169.254.171.0/24"), addresses("fd00:ec2:80::/64"))
_DEFAULT_PORTS: Final = {"HTTPS": 443, "TLS_PASSTHROUGH": 443, "HTTP": 80}
_SERVICE: Final = "AWS::VpcLattice::Service"
_NETWORK: Final = "AWS::VpcLattice::ServiceNetwork"
_TARGETS: Final = "AWS::VpcLattice::TargetGroup"
_REGISTERS: Final = "VpcLatticeConfigurations.TargetGroupArn"


class Call(NamedTuple):
    """A connection with a Lattice service at one end."""

    source: str
    target: str
    traffic: Traffic
    evidence: tuple[Resource, ...]
    path: tuple[str, ...]


def calls(network: Network) -> Iterator[Call]:
    """Every connection to and from the Lattice services of a model; what cannot be read is refused."""
    for association in network.model.of_type("AWS::VpcLattice::ServiceNetworkVpcAssociation"):
        with network.model.refusals.collected():
            yield from _clients(network, association)
    for targets in network.model.of_type(_TARGETS):
        with network.model.refusals.collected():
            yield from _handed_on(network, targets)


def _clients(network: Network, association: Resource) -> Iterator[Call]:
    vpc = association.text("VpcIdentifier")
    worn = tuple(identifier(association, value) for value in values(association, "SecurityGroupIds"))
    door = Interface(association.name, association, worn or None, (), vpc)
    reached = list(_services(network, association))
    for side in network.interfaces:
        if side.vpc != vpc or not side.initiates or not side.subnets:
            continue
        out = list(_to_lattice(network, side, door))
        into = [one for family in sorted(side.families) for one in toward(network, door, INGRESS, side, family)]
        for match in matches(out, into):
            for name, service, ports in reached:
                for carried in common([match.traffic], ports):
                    evidence = (*match.out.evidence, *match.into.evidence, association, *service, side.resource)
                    steps = (match.out.sentence(side, EGRESS), match.into.sentence(door, INGRESS))
                    yield Call(side.name, name, carried, evidence, (*steps, f"{association.name} leads to {name}"))


def _services(network: Network, association: Resource) -> Iterator[tuple[str, tuple[Resource, ...], list[Traffic]]]:
    """Name, evidence and ports of every service in the network that a VPC is associated with."""
    model = network.model
    identifier = association.value("ServiceNetworkIdentifier")
    own = model.find(identifier, _NETWORK, near=association)
    if own is None:
        yield f"service network {identifier}", (), [Traffic(TCP, 0, 65535)]
    for member in model.of_type("AWS::VpcLattice::ServiceNetworkServiceAssociation"):
        named = member.value("ServiceNetworkIdentifier")
        if named != identifier and (own is None or model.find(named, _NETWORK, near=member) is not own):
            continue
        service = model.find(member.value("ServiceIdentifier"), _SERVICE, near=member)
        if service is None:
            yield f"service {member.value('ServiceIdentifier')}", (member,), [Traffic(TCP, 0, 65535)]
        else:
            yield service.name, (member, service), [_port(listener) for listener in _listeners(network, service)]


def _listeners(network: Network, service: Resource) -> Iterable[Resource]:
    for listener in network.model.of_type("AWS::VpcLattice::Listener"):
        if network.model.find(listener.value("ServiceIdentifier"), _SERVICE, near=listener) is service:
            yield listener


def _port(listener: Resource) -> Traffic:
    port = listener.value("Port") or _DEFAULT_PORTS.get(str(listener.value("Protocol")))
    try:
        return traffic(TCP, port, port)
    except ValueError as error:
        raise listener.refuse(f"listens to no known traffic: {error}") from error


def _to_lattice(network: Network, side: Interface, door: Interface) -> Iterator[Admitted]:
    """The rules by which a client's traffic may leave for Lattice."""
    if side.groups is None:
        yield Admitted(Traffic(TCP, 0, 65535))
    for group, rule in network.rules(side, EGRESS):
        if _is_lattice(rule) or (rule.group and rule.group in (door.groups or ())):
            yield Admitted(rule.traffic, group, rule)


def _is_lattice(rule: Rule) -> bool:
    return rule.prefix_list is not None or (rule.block is not None and any(map(rule.block.overlaps, _LATTICE)))


def _handed_on(network: Network, targets: Resource) -> Iterator[Call]:
    services = list(_forwarding(network, targets))
    if not services or targets.value("Type") == "LAMBDA":
        return
    for side in _registered(network, targets):
        admitted = [
            Admitted(rule.traffic, group, rule) for group, rule in network.rules(side, INGRESS) if _is_lattice(rule)
        ]
        for one in admitted:
            for service, forward in services:
                evidence = (*one.evidence, forward, targets, side.resource)
                path = (f"{forward.name} forwards to {targets.name}", one.sentence(side, INGRESS))
                yield Call(service.name, side.name, one.traffic, evidence, path)


def _forwarding(network: Network, targets: Resource) -> Iterator[tuple[Resource, Resource]]:
    """The services whose listeners, or rules of these, forward to a target group."""
    model = network.model
    paths = {
        "AWS::VpcLattice::Listener": "DefaultAction.Forward.TargetGroups.TargetGroupIdentifier",
        "AWS::VpcLattice::Rule": "Action.Forward.TargetGroups.TargetGroupIdentifier",
    }
    for type_, path in paths.items():
        for forward in model.of_type(type_):
            if not any(model.find(one, _TARGETS, near=forward) is targets for one in values(forward, path)):
                continue
            identifier = forward.value("ServiceIdentifier")
            if identifier is None:  # a rule may name only its listener
                listener = model.find(forward.value("ListenerIdentifier"), "AWS::VpcLattice::Listener", near=forward)
                identifier = listener.value("ServiceIdentifier") if listener else None
            service = model.find(identifier, _SERVICE, near=forward)
            if service is None:
                raise forward.refuse(f"is part of the service {identifier}, which no template has")
            yield service, forward


def _registered(network: Network, targets: Resource) -> Iterator[Interface]:
    """The interfaces in a target group: those that register themselves, and those that it names."""
    model = network.model
    for side in network.interfaces:
        if any(model.find(arn, _TARGETS) is targets for arn in values(side.resource, _REGISTERS)):
            yield side
    for given in values(targets, "Targets.Id"):
        named = model.find(given)
        sides = [side for side in network.interfaces if side.resource is named]
        if not sides:
            raise targets.refuse(f"has the target {given}, which is no interface of the templates")
        yield from sides
