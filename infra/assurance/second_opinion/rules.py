"""Rules of security groups as templates write them, for the solver.

<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html> and
<https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, NamedTuple, TypeAlias, cast

from infra.assurance.model.identity import attribute, is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

Block: TypeAlias = IPv4Network | IPv6Network

# <https://www.iana.org/assignments/protocol-numbers/protocol-numbers.xhtml>
PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
WITH_PORTS: Final = frozenset({6, 17})
LAST_PORT: Final = 65535


class Way(Enum):
    """The direction a rule speaks about, and where it names the other side."""

    IN = "Source"
    OUT = "Destination"


class Rule(NamedTuple):
    """What one rule admits: a protocol's number (None: all), ports, and the other side.

    The other side is a block of addresses, or the id of a group or a prefix list.
    """

    protocol: int | None
    low: int
    high: int
    block: Block | None = None
    group: str = ""
    prefixes: str = ""


class Group:
    """What a security group admits in either direction."""

    def __init__(self, vpc: str) -> None:
        self.vpc = vpc
        self.rules: dict[Way, list[Rule]] = {way: [] for way in Way}


_ANYWHERE_IPV4, _ANYWHERE_IPV6 = (Rule(None, 0, LAST_PORT, block=ip_network(block)) for block in ("0.0.0.0/0", "::/0"))
_SEPARATE: Final = {"AWS::EC2::SecurityGroupIngress": Way.IN, "AWS::EC2::SecurityGroupEgress": Way.OUT}
_INLINE: Final = {"SecurityGroupIngress": Way.IN, "SecurityGroupEgress": Way.OUT}


def read_groups(model: Model) -> Mapping[str, Group]:
    """Every group by its id, the default group of each VPC among them.

    A default group admits its own members and lets everything out
    (<https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html>), as does every group that has no
    egress rule in itself; of that a rule in a resource of its own leaves the IPv6 half
    (<https://github.com/aws-cloudformation/cfn-language-discussion/issues/157>, where only IPv4 is seen to go).
    """
    shut: set[str] = set()
    groups: dict[str, Group] = {}
    for vpc in model.of_type("AWS::EC2::VPC"):
        default = default_group(vpc)
        groups[default] = Group(vpc.ref)
        groups[default].rules[Way.IN].append(Rule(None, 0, LAST_PORT, group=default))
    for resource in model.of_type("AWS::EC2::SecurityGroup"):
        with model.refusals.collected():
            groups[resource.ref] = _group(resource)
            if groups[resource.ref].rules[Way.OUT]:
                shut.add(resource.ref)
    separate: dict[str, list[tuple[Way, Rule]]] = defaultdict(list)
    for resource in model.of_type(*_SEPARATE):
        with model.refusals.collected():
            way = _SEPARATE[resource.type]
            separate[resource.text("GroupId") or ""].extend(
                (way, rule) for rule in _rules(resource, resource.properties, way)
            )
    for owner, rules in separate.items():
        # A group that no template makes (`sg-…`): nothing else of it is known, so it is no group to decide by.
        if owner in groups:
            for way, rule in rules:
                groups[owner].rules[way].append(rule)
    for id_ in groups.keys() - shut:
        out = groups[id_].rules[Way.OUT]
        out.extend([_ANYWHERE_IPV6] if out else [_ANYWHERE_IPV4, _ANYWHERE_IPV6])
    return groups


def default_group(vpc: Resource) -> str:
    """Id of a VPC's default group."""
    return str(attribute(vpc, "DefaultSecurityGroup"))


def _group(resource: Resource) -> Group:
    group = Group(resource.value("VpcId") or "")
    for key, way in _INLINE.items():
        for given in _listed(resource.value(key)):
            group.rules[way].extend(_rules(resource, given, way))
    return group


def _rules(resource: Resource, given: Mapping[str, Any], way: Way) -> Iterator[Rule]:
    if not isinstance(cast("object", given), Mapping):
        raise resource.refuse(f"has {given} where a rule is wanted")
    protocol = _protocol(resource, given.get("IpProtocol"))
    low, high = _ports(resource, given, protocol)
    for key in ("CidrIp", "CidrIpv6"):
        if key in given:
            yield Rule(protocol, low, high, block=block(resource, given[key]))
    group, prefixes = (_id(resource, given.get(f"{way.value}{kind}Id")) for kind in ("SecurityGroup", "PrefixList"))
    if own := resource.scope.model.find(prefixes, "AWS::EC2::PrefixList"):
        for entry in own.value("Entries") or ():
            yield Rule(protocol, low, high, block=block(own, entry.get("Cidr")))
    elif group or prefixes:
        yield Rule(protocol, low, high, group=group, prefixes=prefixes)
    elif not given.keys() & {"CidrIp", "CidrIpv6"}:
        raise resource.refuse("has a rule whose other side is neither addresses, a group's id nor a prefix list")


def _id(resource: Resource, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or is_unknown(value):
        raise resource.refuse(f"has a rule whose other side only a deployment knows: {value}")
    return value


def block(resource: Resource, text: object) -> Block:
    """A block of addresses.

    Raises:
        Refused: the text is none.
    """
    try:
        return ip_network(str(text), strict=False)
    except ValueError as error:
        raise resource.refuse(f"names addresses that are none: {text}") from error


def _protocol(resource: Resource, given: object) -> int | None:
    text = str(given).strip().lower()
    if text in {"-1", "all"}:
        return None
    number = PROTOCOLS.get(text, text)
    try:
        return int(number)
    except ValueError as error:
        raise resource.refuse(f"has a rule for the protocol {given}, which is none") from error


def _ports(resource: Resource, given: Mapping[str, Any], protocol: int | None) -> tuple[int, int]:
    """All ports where the protocol has none or the rule names none: -1 is AWS's word for that."""
    try:
        low, high = (int(given.get(key, -1)) for key in ("FromPort", "ToPort"))
    except (TypeError, ValueError) as error:
        raise resource.refuse("has a rule whose ports are no numbers") from error
    if protocol not in WITH_PORTS or low < 0:
        return 0, LAST_PORT
    return low, LAST_PORT if high < 0 else high


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return cast("list[Any]", value)
    return [] if value is None else [value]
