"""What may open or carry connections that the graph does not show is refused by name; what cannot is let be.

What a type can do is told by the properties that its schema has (`types.txt`). A type that is not there is unknown.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_custom
from infra.assurance.model.resource import Resource
from infra.assurance.network.admission import Network
from infra.assurance.network.kinds import KINDS, MEMBERS, SUBNET_GROUPS, TEMPLATES
from infra.assurance.network.schemas import read_types

_WAYS_ROUND: Final = {
    r"AWS::(CloudFront::VpcOrigin|DirectConnect|NetworkManager)\b.*": "brings connections in from other networks",
    r"AWS::EC2::(CarrierGateway|ClientVpn|CustomerGateway|LocalGateway|RouteServer|SecondaryNetwork|TransitGateway"
    r"|VPCPeeringConnection|VPN|VerifiedAccess).*": "joins the VPC with other networks",
    r"AWS::EC2::(NetworkAcl|SubnetNetworkAclAssociation).*": "decides about packets beside the security groups",
    r"AWS::(EC2::GatewayRouteTableAssociation|NetworkFirewall::(Firewall|VpcEndpointAssociation|"
    r"TransitGatewayAttachment|Proxy).*)": "leads packets through something else",
    r"AWS::EC2::TrafficMirror(Session|Target)": "copies packets to somebody else",
    r"AWS::EC2::VPCEndpointService.*": "lets other accounts' VPCs in",
    r"AWS::EC2::(SecurityGroupVpcAssociation|NetworkInterfacePermission)": "lends a network's parts to others",
    r"AWS::EC2::(EC2Fleet|SpotFleet)": "starts instances in subnets",
    r"AWS::ECS::(ExpressGatewayService|Gateway)": "makes load balancers and services of its own",
    r"AWS::EKS::.*": "runs containers whose groups are decided in the cluster, not in templates",
    r"AWS::GlobalAccelerator::EndpointGroup": "brings the internet in, whatever routes and addresses say",
    r"AWS::(Lightsail::(Instance|Database|Container|LoadBalancer)|WorkSpaces::Workspace|GameLift::.*Fleet)":
        "runs in a network of its service's own",
    r"AWS::(ElasticBeanstalk::(Environment|ConfigurationTemplate)|EMR::Cluster|CloudFormation::StackSet"
    r"|ServiceCatalog::CloudFormationProvisionedProduct)": "makes resources that are in no template",
    r"AWS::OpenSearchServerless::Collection": "lets in whom its network policies say",
    r"AWS::(RDS::DBShardGroup|NeptuneGraph::Graph)": "has a public address if it says so",
    r"AWS::RAM::(ResourceShare|Permission)": "shares resources with other accounts",
    r"AWS::VpcLattice::(DomainVerification|Resource.*|ServiceNetworkResourceAssociation)":
        "lets a service network's clients into a VPC",
    r"AWS::(ElastiCache::SecurityGroup|ElastiCache::SecurityGroupIngress|RDS::DBSecurityGroup.*|"
    r"Redshift::ClusterSecurityGroup.*|OpsWorks::.*)": "is of the network before VPCs",
}  # fmt: skip
_WAY_ROUND: Final = [(re.compile(pattern), what) for pattern, what in _WAYS_ROUND.items()]

# Types that name a VPC or a subnet and open nothing: they are read elsewhere in this package, or only describe, name
# or restrict.
_HARMLESS: Final = frozenset({
    "AWS::ApiGateway::RestApi",
    "AWS::AppRunner::Service",
    "AWS::DMS::InstanceProfile",
    "AWS::EC2::EIPAssociation",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkInsightsAnalysis",
    "AWS::EC2::NetworkInterfaceAttachment",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetCidrBlock",
    "AWS::EC2::SubnetCidrReservation",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCBlockPublicAccessExclusion",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCDHCPOptionsAssociation",
    "AWS::EC2::VPCEncryptionControl",
    "AWS::EC2::VPCEndpointConnectionNotification",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::InspectorV2::Filter",
    "AWS::IoTFleetWise::DecoderManifest",
    "AWS::Logs::Transformer",
    "AWS::MediaLive::Node",
    "AWS::MemoryDB::Snapshot",
    "AWS::ObservabilityAdmin::OrganizationTelemetryRule",
    "AWS::ObservabilityAdmin::TelemetryRule",
    "AWS::Route53::HostedZone",
    "AWS::Route53GlobalResolver::DnsView",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    "AWS::Route53Resolver::ResolverRuleAssociation",
    "AWS::S3::AccessPoint",
    "AWS::S3Express::AccessPoint",
    "AWS::SecurityHub::Insight",
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation",
    "AWS::VpcLattice::TargetGroup",
})  # fmt: skip
_MODELLED: Final = frozenset({*SUBNET_GROUPS, *MEMBERS}) - frozenset(KINDS)
# Properties of modelled types that say nothing more about who is let in.
_READ: Final = frozenset({
    "AutoAssignElasticIps", "DBSubnetGroupName", "ElasticIp", "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
    "EnhancedVpcRouting", "NetworkInterfaceCount", "NetworkInterfaceId", "PreferredSubnetId", "VpcConnectorName",
    "VpcEndpointType", "VpcId", "VpcLatticeConfigurations",
})  # fmt: skip


def refuse_unmodelled(network: Network) -> None:
    """Add to the model's refusals every resource that the graph does not show and that may matter to it."""
    known = read_types()
    runs = {side.run_by for side in network.interfaces if side.run_by}
    for resource in network.model.resources:
        with network.model.refusals.collected():
            if resource not in runs or resource.type in KINDS:
                _refuse(network, resource, known)


def _refuse(network: Network, resource: Resource, known: dict[str, frozenset[str]]) -> None:
    type_ = resource.type
    if is_custom(resource):
        _refuse_custom(network, resource)
        return
    if type_.endswith("::MODULE"):
        return  # refused where it was read
    if type_ not in known:
        raise resource.refuse(f"is of the type {type_}, which the proof does not know")
    if what := _way_round(type_):
        raise resource.refuse(f"{what}: {type_} is not modelled")
    if type_ == "AWS::EC2::VPCGatewayAttachment" and resource.value("VpnGatewayId"):
        raise resource.refuse("joins the VPC with other networks: a VPN gateway is not modelled")
    speaking = known[type_]
    if not speaking or type_ in _HARMLESS or type_ in _MODELLED:
        return
    if type_ in KINDS or type_ in TEMPLATES:
        kind = KINDS.get(type_) or TEMPLATES[type_]
        speaking = speaking - _READ - {part for path in (*kind.groups, *kind.subnets) for part in path.split(".")}
    used = sorted(speaking.intersection(_keys(resource.body.get("Properties", {}))))
    if used:
        raise resource.refuse(f"has {', '.join(used)}: of {type_} that is not modelled")


@cache
def _way_round(type_: str) -> str | None:
    return next((what for pattern, what in _WAY_ROUND if pattern.fullmatch(type_)), None)


def _refuse_custom(network: Network, resource: Resource) -> None:
    """A program that is given subnets, or a group that something wears, may open what no template shows.

    Default groups are left out: they are what they are at the start, whatever a program does to them.
    """
    for text in _texts(dict(resource.properties)):
        subnet = next((id_ for id_ in network.places.subnets if id_ in text), None)
        if subnet:
            named = network.places.subnets[subnet].resource
            raise resource.refuse(f"is given {named.name if named else subnet}: what it does there is in no template")
        for id_, group in network.groups.items():
            if group.resource and group.resource.type == "AWS::EC2::SecurityGroup" and id_ in text:
                raise resource.refuse(f"is given {group.name}: what it does to it is in no template")


def _keys(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Json]", value).items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _keys(inner)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in cast("dict[str, Json]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
