"""Security groups and their rules, whichever way the templates write them.

<https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import attribute, is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.addresses import IPV4, IPV6, Addresses, everything
from infra.assurance.network.paths import values
from infra.assurance.network.places import Places, block
from infra.assurance.network.ports import EGRESS, EVERYTHING, INGRESS, Traffic, traffic

_PEER_GROUPS: Final = ("SourceSecurityGroupId", "DestinationSecurityGroupId")
_PEER_LISTS: Final = ("SourcePrefixListId", "DestinationPrefixListId")
_PEER_BLOCKS: Final = ("CidrIp", "CidrIpv6")


class Rule(NamedTuple):
    """Traffic that is admitted from or to one peer: a range, a group, or a prefix list nobody here has defined."""

    traffic: Traffic
    resource: Resource
    block: Addresses | None = None
    group: str | None = None
    prefix_list: str | None = None
    written: str = ""

    def __str__(self) -> str:
        """The peer, as the template names it."""
        return self.written


class Group:
    """A security group. `rules` are by direction: `ingress` and `egress`."""

    def __init__(self, id_: str, name: str, vpc: str | None, resource: Resource | None = None) -> None:
        self.id = id_
        self.name = name
        self.vpc = vpc
        self.resource = resource
        self.rules: dict[str, list[Rule]] = {INGRESS: [], EGRESS: []}


def groups(model: Model, where: Places) -> dict[str, Group]:
    """Every security group of a model by its id, with all its rules; what cannot be read is refused.

    A rule that adds to a group no template has makes that group, without a resource.
    """
    found = _Groups(model)
    for vpc in where.vpcs.values():
        found.add_default(vpc.default_group, vpc.id, vpc.resource)
    for resource in model.of_type("AWS::EC2::SecurityGroup"):
        with model.refusals.collected():
            found.add(resource)
    for resource in model.of_type("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        with model.refusals.collected():
            found.add_rule(resource)
    found.let_out_what_nothing_restrains(where)
    return found.by_id


class _Groups:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.by_id: dict[str, Group] = {}
        # A prefix list of the templates' own is the ranges in it, unless IPAM fills it.
        self._lists = {
            str(identity): resource
            for resource in self.model.of_type("AWS::EC2::PrefixList")
            if resource.value("Entries")
            for identity in (resource.ref, attribute(resource, "PrefixListId"))
        }

    def add_default(self, id_: str, vpc: str, resource: Resource) -> None:
        """The group every VPC has from the start: its members reach each other and everything.

        <https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html>. What empties it does so at
        deployment, which no template shows.
        """
        group = Group(id_, f"default group of {resource.name}", vpc, resource)
        group.rules[INGRESS].append(Rule(EVERYTHING, resource, group=id_, written=group.name))
        self.by_id[id_] = group

    def add(self, resource: Resource) -> None:
        """A group of the templates, with the rules that stand in it."""
        group = Group(resource.ref, resource.name, resource.value("VpcId"), resource)
        self.by_id[group.id] = group
        for direction, key in ((INGRESS, "SecurityGroupIngress"), (EGRESS, "SecurityGroupEgress")):
            for given in _listed(resource.value(key)):
                with self.model.refusals.collected():
                    group.rules[direction] += self._rules(given, resource)

    def add_rule(self, resource: Resource) -> None:
        """A rule that stands by itself."""
        id_ = resource.value("GroupId")
        if not isinstance(id_, str) or is_unknown(id_):
            raise resource.refuse("belongs to a security group that is not named by its id")
        direction = EGRESS if resource.type.endswith("Egress") else INGRESS
        group = self.by_id.setdefault(id_, Group(id_, f"group {id_}", None))
        group.rules[direction] += self._rules(resource.properties, resource)

    def let_out_what_nothing_restrains(self, where: Places) -> None:
        """Give each group that is made without egress rules the ones that AWS gives it, which let everything out.

        <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html>. The first
        egress rule that stands by itself takes that of IPv4 away again, as people found:
        <https://github.com/aws-cloudformation/cfn-language-discussion/issues/157>. Of that of IPv6 nobody has said so.
        """
        for group in self.by_id.values():
            with self.model.refusals.collected():
                if group.resource and not group.resource.value("SecurityGroupEgress"):
                    group.rules[EGRESS] += self._given(group, group.resource, where.families(group.vpc or ""))

    @staticmethod
    def _given(group: Group, resource: Resource, families: frozenset[int]) -> list[Rule]:
        given = {IPV4: "0.0.0.0/0", IPV6: "::/0"}
        if group.rules[EGRESS]:
            del given[IPV4]
            if IPV6 not in families:
                del given[IPV6]
        return [Rule(EVERYTHING, resource, block=everything(family), written=text) for family, text in given.items()]

    def _rules(self, written: Json, resource: Resource) -> Iterator[Rule]:
        if not isinstance(written, Mapping):
            raise resource.refuse(f"has {written!r} where a rule is wanted, which is no rule")
        given = cast("Mapping[str, Json]", written)
        try:
            admitted = traffic(given.get("IpProtocol"), given.get("FromPort"), given.get("ToPort"))
        except ValueError as error:
            raise resource.refuse(f"has a rule for no known traffic: {error}") from error
        peers = [(key, given[key]) for key in (*_PEER_GROUPS, *_PEER_LISTS, *_PEER_BLOCKS) if given.get(key)]
        if not peers:
            raise resource.refuse("has a rule that names no peer by an id or an address range")
        for key, peer in peers:
            if not isinstance(peer, str) or is_unknown(peer):
                raise resource.refuse(f"has a rule whose {key} is known only at deployment: {peer}")
            if key in _PEER_BLOCKS:
                yield Rule(admitted, resource, block=block(resource, peer), written=peer)
            elif key in _PEER_GROUPS:
                yield Rule(admitted, resource, group=peer, written=self._name(peer))
            elif peer in self._lists:
                for cidr in values(self._lists[peer], "Entries.Cidr"):
                    yield Rule(admitted, resource, block=block(self._lists[peer], cidr), written=str(cidr))
            else:
                yield Rule(admitted, resource, prefix_list=peer, written=f"prefix list {peer}")

    def _name(self, id_: str) -> str:
        if id_ in self.by_id:
            return self.by_id[id_].name
        named = self.model.find(id_, "AWS::EC2::SecurityGroup")
        return named.name if named else f"group {id_}"


def _listed(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [value] if value else []
