"""Everything of a model that has network interfaces."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.network.kinds import KINDS, MEMBERS, SUBNET_GROUPS, TEMPLATES, Kind
from infra.assurance.network.paths import identifier, values
from infra.assurance.network.places import Places, Subnet, places
from infra.assurance.network.ports import EGRESS, EVERYTHING, INGRESS, TCP, Traffic
from infra.assurance.network.special import SPECIAL, listening

_EVERYTHING: Final = {INGRESS: (EVERYTHING,), EGRESS: (EVERYTHING,)}


class Interface(NamedTuple):
    """Something with network interfaces: all that share groups and subnets are one.

    name: What facts call it. resource: What the templates say of it. vpc: The id of the VPC, if a template tells.
    groups: Ids of its security groups; None if it has none at all, so that everything is admitted.
    subnets: Where it is; empty if it is in no VPC. endpoint: By what the internet reaches it beside them.
    public: Whether it has a public IPv4 address. ipv6_is_public: Whether its IPv6 addresses are, in spite of that.
    accepts, initiates: Whether connections come in, or go out, by the interface.
    run_by: What starts it, where it is not there by itself.
    without_groups: What it admits by direction if it has no groups.
    """

    name: str
    resource: Resource
    groups: tuple[str, ...] | None
    subnets: tuple[Subnet, ...]
    vpc: str | None = None
    public: bool = False
    ipv6_is_public: bool = False
    accepts: bool = True
    initiates: bool = True
    run_by: Resource | None = None
    endpoint: Traffic | None = None
    without_groups: Mapping[str, tuple[Traffic, ...]] = _EVERYTHING

    @property
    def families(self) -> frozenset[int]:
        """The address families in which it has addresses."""
        return frozenset[int]().union(*(subnet.families for subnet in self.subnets))


class _Worn(NamedTuple):
    """What a resource and the template it is launched from say: ids of groups and subnets, and flags."""

    groups: list[str]
    subnets: list[str]
    flags: list[bool]


def interfaces(model: Model) -> list[Interface]:
    """Every interface of a model's resources; one that cannot be read is among the model's refusals.

    One-off tasks are `tasks.tasks`.
    """
    return list(resources_interfaces(model, places(model)))


def resources_interfaces(model: Model, where: Places) -> Iterator[Interface]:
    """The interfaces, in places that were read."""
    for type_, kind in KINDS.items():
        for resource in model.of_type(type_):
            with model.refusals.collected():
                if interface := _interface(model, where, resource, kind):
                    yield interface


def placed(
    model: Model,
    where: Places,
    resource: Resource,
    kind: Kind,
    *,
    groups: Sequence[str],
    subnets: Sequence[str],
    public: bool | None = False,
    name: str = "",
    run_by: Resource | None = None,
) -> Interface:
    """An interface in the subnets of these ids, under the groups of these ids.

    `public` None: as its VPC has an internet gateway.

    Raises:
        Refused: it is in no subnet, or its subnets are of several VPCs.
    """
    if not subnets:
        raise resource.refuse("is in no subnet that a template names: in the account's default VPC, perhaps")
    lies = tuple(where.subnet(id_) for id_ in dict.fromkeys(subnets))
    vpcs = {subnet.vpc for subnet in lies if subnet.vpc}
    if not vpcs:
        named = (model.find(group, "AWS::EC2::SecurityGroup") for group in groups)
        vpcs = {group.text("VpcId") for group in named if group and group.text("VpcId")}
    if len(vpcs) > 1:
        raise resource.refuse("has interfaces in several VPCs at once")
    vpc = next(iter(vpcs), None)
    known = where.vpcs.get(vpc or "")
    worn: tuple[str, ...] | None = tuple(dict.fromkeys(groups))
    if not worn and kind.open_without_groups:
        worn = None
    elif not worn:
        if known is None:
            raise resource.refuse("wears the default group of a VPC that no template describes")
        worn = (known.default_group,)
    return Interface(
        name or resource.name,
        resource,
        worn,
        lies,
        vpc,
        public=(known is None or known.has_internet_gateway) if public is None else public,
        ipv6_is_public=kind.ipv6_is_public,
        accepts=kind.accepts,
        initiates=kind.initiates,
        run_by=run_by,
    )


def _interface(model: Model, where: Places, resource: Resource, kind: Kind) -> Interface | None:
    if _is_part_of_another(model, resource):
        return None
    kind = SPECIAL[resource.type](resource, kind) if resource.type in SPECIAL else kind
    own = _worn(model, resource, kind)
    if kind.optional and not own.groups and not own.subnets:
        return None
    if kind.endpoint and not own.subnets:
        return Interface(resource.name, resource, None, (), endpoint=kind.endpoint)
    public = _is_public(model, where, resource, kind, own)
    interface = placed(model, where, resource, kind, groups=own.groups, subnets=own.subnets, public=public)
    if kind.api and kind.api.value in (str(value).lower() for value in values(resource, kind.api.path)):
        interface = interface._replace(endpoint=Traffic(TCP, 443, 443))
    if kind.open_without_groups:
        interface = interface._replace(without_groups=_EVERYTHING | {INGRESS: listening(model, resource)})
    return interface


def _worn(model: Model, resource: Resource, kind: Kind) -> _Worn:
    """What the resource says; what it does not say, its launch template says."""
    groups = [identifier(resource, value) for path in kind.groups for value in values(resource, path)]
    subnets = [
        id_ for path in kind.subnets for value in values(resource, path) for id_ in _subnets(model, resource, value)
    ]
    public = kind.public
    flags = [str(value).lower() == public.value.lower() for value in values(resource, public.path)] if public else []
    for path in kind.launch:
        for value in values(resource, path):
            template = _template(model, resource, value)
            inner = _worn(model, template, TEMPLATES[template.type])
            groups += inner.groups
            subnets = subnets or inner.subnets
            flags += inner.flags
    return _Worn(groups, subnets, flags)


def _is_public(model: Model, where: Places, resource: Resource, kind: Kind, own: _Worn) -> bool | None:
    for member_type, (key, owner, public) in MEMBERS.items():
        if public is None or owner != resource.type:
            continue
        members = [one for one in model.of_type(member_type) if _leads_to(model, one, key, resource)]
        said = [str(value).lower() == public.value for one in members for value in values(one, public.path)]
        if any(said) or len(said) < len(members):
            return True if any(said) else public.default
    if any(own.flags) or _has_elastic_address(model, resource):
        return True
    if own.flags:
        return False
    if kind.as_subnet:
        return any(where.subnet(id_).gives_public_address for id_ in own.subnets)
    return kind.public.default if kind.public else False


def _has_elastic_address(model: Model, resource: Resource) -> bool:
    given = model.of_type("AWS::EC2::EIP", "AWS::EC2::EIPAssociation")
    return any(resource.ref in (one.value("InstanceId"), one.value("NetworkInterfaceId")) for one in given)


def _is_part_of_another(model: Model, resource: Resource) -> bool:
    if resource.type in MEMBERS:
        key, owner, _ = MEMBERS[resource.type]
        if identifier := resource.value(key):
            if model.find(identifier, owner, near=resource) is None:
                raise resource.refuse(f"is part of {identifier}, which no template has")
            return True
    if resource.type == "AWS::EC2::Instance":
        attached = values(resource, "NetworkInterfaces.NetworkInterfaceId")
        unheard = [id_ for id_ in attached if model.find(id_, "AWS::EC2::NetworkInterface") is None]
        if unheard:
            raise resource.refuse(f"has the network interface {unheard[0]}, which no template has")
        return bool(attached)
    return False


def _leads_to(model: Model, resource: Resource, key: str, owner: Resource) -> bool:
    return model.find(resource.value(key), owner.type, near=resource) is owner


def _template(model: Model, resource: Resource, value: Json) -> Resource:
    table = cast("dict[str, Json]", value) if isinstance(value, dict) else {"LaunchConfigurationName": value}
    name = table.get("LaunchTemplateName")
    for identity in table.values():
        if found := model.find(identity, *TEMPLATES, near=resource):
            return found
    for found in model.of_type(*TEMPLATES):
        if name and found.value("LaunchTemplateName") == name and found.stack.account == resource.stack.account:
            return found
    raise resource.refuse(f"is launched from {', '.join(map(str, table.values()))}, which no template has")


def _subnets(model: Model, resource: Resource, value: Json) -> list[str]:
    """The ids of a subnet, or of those a subnet group lists."""
    named = identifier(resource, value)
    group = model.find(named, *SUBNET_GROUPS, near=resource) or _group_called(model, resource, named)
    if group is None:
        return [named]
    return [identifier(group, id_) for id_ in values(group, "SubnetIds")]


def _group_called(model: Model, resource: Resource, name: str) -> Resource | None:
    """The subnet group of a name; AWS keeps such names in lower case."""
    home = (resource.stack.account, resource.stack.region)
    for group in model.of_type(*SUBNET_GROUPS):
        own = group.value(SUBNET_GROUPS[group.type])
        if (group.stack.account, group.stack.region) == home and str(own).lower() == name.lower():
            return group
    return None
