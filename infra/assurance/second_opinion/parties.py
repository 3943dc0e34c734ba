"""Who could open a connection: everything that is put in subnets, found by what it names and not by its type.

Whatever names a subnet or wears a group has an interface there, whatever its type calls the property; so a type that
nobody thought of is found as well. The exceptions are types that name either for another purpose.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Final, NamedTuple, cast

from infra.assurance.model.identity import is_custom, is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.second_opinion.rules import Block, block, default_group

# Data stores: what else has an interface is compute, an entry or an endpoint.
STORES: Final = re.compile(
    r"AWS::(RDS::DB(Cluster|Instance|ShardGroup)"
    r"|(Neptune|DocDB)::DB(Cluster|Instance)|DocDBElastic::Cluster|NeptuneGraph::PrivateGraphEndpoint"
    r"|(OpenSearchService|Elasticsearch)::Domain|OpenSearchServerless::VpcEndpoint"
    r"|ElastiCache::(CacheCluster|ReplicationGroup|ServerlessCache)|MemoryDB::(Cluster|MultiRegionCluster)"
    r"|DAX::Cluster|Redshift::Cluster|RedshiftServerless::Workgroup|MSK::(Serverless)?Cluster|AmazonMQ::Broker"
    r"|EFS::MountTarget|FSx::FileSystem|Timestream::InfluxDBInstance|Cassandra::.*|QLDB::.*)"
)
# Types that may name subnets or groups without an interface of their own that opens connections: parts of the network
# itself, sets of subnets that others name, what only describes or watches, and a nested stack's parameters (its
# resources are looked at).
_NO_PARTY: Final = re.compile(
    r"AWS::EC2::(Subnet.*|SecurityGroup.*|Route.*|NetworkAcl.*|NatGateway|FlowLog|VPC|VPC\w*Attachment|PrefixList"
    r"|TransitGateway.*|GatewayRouteTableAssociation|LaunchTemplate)|AWS::AutoScaling::LaunchConfiguration"
    r"|.*::\w*SubnetGroup|AWS::(IAM|SSM|KMS|CloudWatch|Logs|S3|SNS|SQS|Route53|WAFv2|VpcLattice)::.*"
    r"|AWS::CloudFormation::Stack"
)
_SETS: Final = re.compile(r".*::\w*SubnetGroup|AWS::(EC2::LaunchTemplate|AutoScaling::LaunchConfiguration)")
# They name the task definition they run, and are themselves what claims speak of.
_OWN_NAME: Final = frozenset({"AWS::ECS::Service", "AWS::ECS::TaskSet"})
_TOLD: Final = frozenset({"Environment", "EnvironmentVariables", "Tags"})
# Without groups they admit everything and wear no default group.
_WITHOUT_GROUPS: Final = frozenset({"AWS::ElasticLoadBalancingV2::LoadBalancer"})


ASSIGNED: Final = ip_network("2000::/3")
"""Where an IPv6 block is that AWS assigns when it makes the VPC.

<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
"""


class Party(NamedTuple):
    """Something with an interface, what the graph may call it, what it wears and where it is."""

    resource: Resource
    names: frozenset[str]
    groups: tuple[str, ...]
    vpc: str
    blocks: tuple[Block, ...]
    vpc_blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """What a sentence calls it."""
        return min(self.names)

    @property
    def is_store(self) -> bool:
        """Whether data is kept there."""
        return STORES.fullmatch(self.resource.type) is not None


class Parties:
    """Finds the parties of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._groups = {group.ref: group for group in model.of_type("AWS::EC2::SecurityGroup")}
        self._subnets = {subnet.ref: subnet for subnet in model.of_type("AWS::EC2::Subnet")}
        self._vpcs = {vpc.ref: vpc for vpc in model.of_type("AWS::EC2::VPC")}
        self._defaults = {default_group(vpc): vpc.ref for vpc in self._vpcs.values()}
        tasks = model.of_type("AWS::ECS::TaskDefinition")
        self._tasks = {task.ref.rpartition(":")[0]: task for task in tasks}
        self._families = {(*_home(task), task.ref.rpartition("/")[2].partition(":")[0]): task for task in tasks}
        self._sets = {id_: found for found in model.resources if _SETS.fullmatch(found.type) for id_ in _ids(found)}

    def found(self) -> list[Party]:
        """All of them; what cannot be read is among the model's refusals."""
        parties: dict[object, Party] = {}  # a task may be run in several ways
        for resource in self._model.resources:
            if not _NO_PARTY.fullmatch(resource.type):
                with self._model.refusals.collected():
                    for party in self._of(resource):
                        parties.setdefault(party[1:], party)
        return list(parties.values())

    def _of(self, resource: Resource) -> Iterator[Party]:
        texts = _texts(resource.properties)
        for _, text in list(texts):
            if text in self._sets and self._sets[text] is not resource:
                texts.extend(_texts(self._sets[text].properties))
        groups = tuple(dict.fromkeys(text for key, text in texts if self._is_group(key, text)))
        subnets = [self._subnets[text] for _, text in texts if text in self._subnets]
        if not subnets and (not groups or is_custom(resource)):
            return  # a custom resource without a subnet changes a group, and runs nothing
        vpc = self._vpc(resource, groups, subnets)
        if not groups and resource.type not in _WITHOUT_GROUPS:
            groups = tuple(group for group, owner in self._defaults.items() if owner == vpc)
        around = self._blocks_of_vpc(vpc)
        blocks = [block for subnet in subnets for block in _blocks(subnet)] or around
        for names in self._names(resource, texts):
            yield Party(resource, names, groups, vpc, tuple(blocks), tuple(around))

    def _is_group(self, key: str, text: str) -> bool:
        if "subnet" in key or "group" not in key:
            return False
        return text in self._groups or text in self._defaults or text.startswith("sg-")

    def _names(self, resource: Resource, texts: list[tuple[str, str]]) -> list[frozenset[str]]:
        if resource.type not in _OWN_NAME:
            run = [task for key, text in texts if (task := self._task(resource, key, text))]
            if run:
                return [frozenset({task.name}) for task in dict.fromkeys(run)]
        return [frozenset({resource.name})]

    def _task(self, resource: Resource, key: str, text: str) -> Resource | None:
        """The task definition that a text names: by ARN, with or without revision, or by its family."""
        found = self._tasks.get(text) or self._tasks.get(text.rpartition(":")[0])
        if found is None and "taskdef" in key:
            return self._families.get((*_home(resource), text.partition(":")[0]))
        return found

    def _vpc(self, resource: Resource, groups: tuple[str, ...], subnets: list[Resource]) -> str:
        """The one VPC of the subnets, or else of the groups."""
        vpcs = {subnet.text("VpcId") for subnet in subnets}
        vpcs = vpcs or {self._groups[group].text("VpcId") for group in groups if group in self._groups}
        if len(vpcs) != 1:
            raise resource.refuse(f"is in {len(vpcs)} VPCs, as its subnets and groups say")
        return str(vpcs.pop())

    def _blocks_of_vpc(self, vpc: str) -> list[Block]:
        resource = self._vpcs.get(vpc)
        return _blocks(resource) if resource else []


def _texts(value: Any) -> list[tuple[str, str]]:
    """Every text in a value with the lower-case key it stands under, JSON in texts looked into.

    What a program is only told in its environment is not worn by what it runs in.
    """
    found: list[tuple[str, str]] = []
    _collect(value, "", found)
    return found


def _collect(value: Any, key: str, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        if value.startswith("{"):
            with suppress(ValueError):
                _collect(json.loads(value), key, found)
        found.append((key, value))
    elif isinstance(value, dict):
        for inner_key, inner in cast("dict[str, Any]", value).items():
            if inner_key not in _TOLD:
                _collect(inner, inner_key.lower(), found)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            _collect(inner, key, found)


def _home(resource: Resource) -> tuple[str, str]:
    return resource.stack.account, resource.stack.region


def _ids(resource: Resource) -> set[str]:
    return {resource.ref, str(resource.value("LaunchTemplateName") or resource.ref)}


def _blocks(place: Resource) -> list[Block]:
    """Addresses of a subnet or VPC."""
    four, six = place.value("CidrBlock"), place.value("Ipv6CidrBlock")
    found = [] if four is None else [block(place, four)]
    if six is not None:
        found.append(ASSIGNED if is_unknown(six) else block(place, six))
    return found
