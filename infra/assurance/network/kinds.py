"""Which resource types have network interfaces, and which of their properties say where and under which groups.

Paths are property names with dots between; lists on the way are looked through. The properties are those of the
CloudFormation template reference: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from infra.assurance.network.ports import TCP, Traffic

_HTTPS: Final = Traffic(TCP, 443, 443)


class Public(NamedTuple):
    """The property that gives a public address, the value that does so, and what holds without the property.

    `default` None: as the VPC has an internet gateway.
    """

    path: str
    value: str
    default: bool | None = False


class Kind(NamedTuple):
    """One type's interface.

    groups, subnets: Paths to them; a subnet group that is named there is looked into.
    launch: Paths to the launch template or configuration it is made from.
    public: What gives it a public address; without it, and with `as_subnet`, the subnet decides.
    optional: Without groups and subnets it is in no VPC, and not in this graph.
    endpoint: What the internet reaches it by if it is in no subnet.
    api: The property, and its value, that lets requests in by HTTPS from anywhere, beside its interface.
    accepts, initiates: Whether connections come in, or go out, by the interface.
    open_without_groups: No groups admit everything; otherwise they mean the VPC's default group.
    """

    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    launch: tuple[str, ...] = ()
    public: Public | None = None
    optional: bool = False
    endpoint: Traffic | None = None
    api: Public | None = None
    accepts: bool = True
    initiates: bool = True
    open_without_groups: bool = False
    as_subnet: bool = False
    ipv6_is_public: bool = False


def _compute(groups: str, subnets: str, *, accepts: bool = True) -> Kind:
    return Kind((groups,), (subnets,), optional=True, accepts=accepts)


def _awsvpc(table: str) -> Kind:
    inside = f"NetworkConfiguration.{table}"
    public = Public(f"{inside}.AssignPublicIp", "ENABLED")
    return Kind(
        (f"{inside}.SecurityGroups",), (f"{inside}.Subnets",), public=public, optional=True, ipv6_is_public=True
    )


_LAUNCH: Final = (
    "LaunchTemplate",
    "LaunchConfigurationName",
    "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification",
    "MixedInstancesPolicy.LaunchTemplate.Overrides.LaunchTemplateSpecification",
)
_ACCESSIBLE: Final = Public("PubliclyAccessible", "true")

KINDS: Final[Mapping[str, Kind]] = {
    # Compute
    "AWS::AppRunner::VpcConnector": Kind(("SecurityGroups",), ("Subnets",), accepts=False),
    "AWS::AutoScaling::AutoScalingGroup": Kind(
        (), ("VPCZoneIdentifier",), _LAUNCH, as_subnet=True, ipv6_is_public=True
    ),
    "AWS::Batch::ComputeEnvironment": Kind(
        ("ComputeResources.SecurityGroupIds",), ("ComputeResources.Subnets",), ("ComputeResources.LaunchTemplate",),
        optional=True, as_subnet=True, ipv6_is_public=True,
    ),
    "AWS::CodeBuild::Project": _compute("VpcConfig.SecurityGroupIds", "VpcConfig.Subnets", accepts=False),
    "AWS::EC2::Instance": Kind(
        ("SecurityGroupIds", "NetworkInterfaces.GroupSet"), ("SubnetId", "NetworkInterfaces.SubnetId"),
        ("LaunchTemplate",),
        public=Public("NetworkInterfaces.AssociatePublicIpAddress", "true"),
        as_subnet=True, ipv6_is_public=True,
    ),
    "AWS::EC2::NetworkInterface": Kind(("GroupSet",), ("SubnetId",), ipv6_is_public=True),
    "AWS::ECS::Service": _awsvpc("AwsvpcConfiguration"),
    "AWS::ECS::TaskSet": _awsvpc("AwsVpcConfiguration"),
    "AWS::EMRServerless::Application": _compute(
        "NetworkConfiguration.SecurityGroupIds", "NetworkConfiguration.SubnetIds", accepts=False
    ),
    "AWS::Glue::Connection": _compute(
        "ConnectionInput.PhysicalConnectionRequirements.SecurityGroupIdList",
        "ConnectionInput.PhysicalConnectionRequirements.SubnetId",
    ),
    "AWS::KinesisAnalyticsV2::Application": _compute(
        "ApplicationConfiguration.VpcConfigurations.SecurityGroupIds",
        "ApplicationConfiguration.VpcConfigurations.SubnetIds",
    ),
    # Its interfaces only go out: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>.
    "AWS::Lambda::Function": _compute("VpcConfig.SecurityGroupIds", "VpcConfig.SubnetIds", accepts=False),
    "AWS::MWAA::Environment": Kind(("NetworkConfiguration.SecurityGroupIds",), ("NetworkConfiguration.SubnetIds",)),
    "AWS::SageMaker::Model": _compute("VpcConfig.SecurityGroupIds", "VpcConfig.Subnets"),
    "AWS::SageMaker::NotebookInstance": _compute("SecurityGroupIds", "SubnetId"),
    "AWS::Synthetics::Canary": _compute("VPCConfig.SecurityGroupIds", "VPCConfig.SubnetIds", accepts=False),
    # Ways in
    "AWS::ApiGatewayV2::VpcLink": Kind(("SecurityGroupIds",), ("SubnetIds",), accepts=False),
    # PrivateLink carries only what the client's side begins:
    # <https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html>.
    "AWS::EC2::InstanceConnectEndpoint": Kind(("SecurityGroupIds",), ("SubnetId",), accepts=False),
    "AWS::EC2::VPCEndpoint": Kind(("SecurityGroupIds",), ("SubnetIds",), optional=True, initiates=False),
    "AWS::ElasticLoadBalancing::LoadBalancer": Kind(
        ("SecurityGroups",), ("Subnets",), public=Public("Scheme", "internet-facing", default=True)
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind(
        ("SecurityGroups",), ("Subnets", "SubnetMappings.SubnetId"),
        public=Public("Scheme", "internet-facing", default=True),
    ),
    "AWS::OpenSearchServerless::VpcEndpoint": Kind(("SecurityGroupIds",), ("SubnetIds",), initiates=False),
    "AWS::Route53Resolver::ResolverEndpoint": Kind(("SecurityGroupIds",), ("IpAddresses.SubnetId",)),
    "AWS::Transfer::Server": Kind(
        ("EndpointDetails.SecurityGroupIds",), ("EndpointDetails.SubnetIds",), endpoint=Traffic(TCP, 22, 22)
    ),
    # Stores
    "AWS::AmazonMQ::Broker": Kind(("SecurityGroups",), ("SubnetIds",), public=_ACCESSIBLE),
    "AWS::DAX::Cluster": Kind(("SecurityGroupIds",), ("SubnetGroupName",)),
    "AWS::DMS::ReplicationInstance": Kind(
        ("VpcSecurityGroupIds",), ("ReplicationSubnetGroupIdentifier",),
        public=Public("PubliclyAccessible", "true", default=True),
    ),
    "AWS::DocDB::DBCluster": Kind(("VpcSecurityGroupIds",), ("DBSubnetGroupName",)),
    "AWS::DocDBElastic::Cluster": Kind(("VpcSecurityGroupIds",), ("SubnetIds",)),
    "AWS::EFS::MountTarget": Kind(("SecurityGroups",), ("SubnetId",), initiates=False),
    "AWS::ElastiCache::CacheCluster": Kind(("VpcSecurityGroupIds",), ("CacheSubnetGroupName",)),
    "AWS::ElastiCache::ReplicationGroup": Kind(("SecurityGroupIds",), ("CacheSubnetGroupName",)),
    "AWS::ElastiCache::ServerlessCache": Kind(("SecurityGroupIds",), ("SubnetIds",)),
    "AWS::Elasticsearch::Domain": Kind(("VPCOptions.SecurityGroupIds",), ("VPCOptions.SubnetIds",), endpoint=_HTTPS),
    "AWS::FSx::FileSystem": Kind(("SecurityGroupIds",), ("SubnetIds",)),
    "AWS::MSK::Cluster": Kind(
        ("BrokerNodeGroupInfo.SecurityGroups",), ("BrokerNodeGroupInfo.ClientSubnets",),
        public=Public("BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type", "SERVICE_PROVIDED_EIPS"),
    ),
    "AWS::MSK::ServerlessCluster": Kind(("VpcConfigs.SecurityGroups",), ("VpcConfigs.SubnetIds",)),
    "AWS::MemoryDB::Cluster": Kind(("SecurityGroupIds",), ("SubnetGroupName",)),
    "AWS::Neptune::DBCluster": Kind(("VpcSecurityGroupIds",), ("DBSubnetGroupName",)),
    "AWS::OpenSearchService::Domain": Kind(
        ("VPCOptions.SecurityGroupIds",), ("VPCOptions.SubnetIds",), endpoint=_HTTPS
    ),
    # Without the property: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>.
    "AWS::RDS::DBCluster": Kind(
        ("VpcSecurityGroupIds",), ("DBSubnetGroupName",), public=Public("PubliclyAccessible", "true"),
        # The Data API: <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html>.
        api=Public("EnableHttpEndpoint", "true"),
    ),
    "AWS::RDS::DBInstance": Kind(
        ("VPCSecurityGroups",), ("DBSubnetGroupName",), public=Public("PubliclyAccessible", "true", default=None)
    ),
    "AWS::RDS::DBProxy": Kind(("VpcSecurityGroupIds",), ("VpcSubnetIds",)),
    "AWS::RDS::DBProxyEndpoint": Kind(("VpcSecurityGroupIds",), ("VpcSubnetIds",)),
    "AWS::Redshift::Cluster": Kind(("VpcSecurityGroupIds",), ("ClusterSubnetGroupName",), public=_ACCESSIBLE),
    "AWS::Redshift::EndpointAccess": Kind(("VpcSecurityGroupIds",), ("SubnetGroupName",), initiates=False),
    "AWS::RedshiftServerless::Workgroup": Kind(("SecurityGroupIds",), ("SubnetIds",), public=_ACCESSIBLE),
    "AWS::Timestream::InfluxDBInstance": Kind(("VpcSecurityGroupIds",), ("VpcSubnetIds",), public=_ACCESSIBLE),
}  # fmt: skip
"""By resource type."""

SUBNET_GROUPS: Final[Mapping[str, str]] = {
    "AWS::DAX::SubnetGroup": "SubnetGroupName",
    "AWS::DMS::ReplicationSubnetGroup": "ReplicationSubnetGroupIdentifier",
    "AWS::DocDB::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::ElastiCache::SubnetGroup": "CacheSubnetGroupName",
    "AWS::MemoryDB::SubnetGroup": "SubnetGroupName",
    "AWS::Neptune::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::RDS::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::Redshift::ClusterSubnetGroup": "",  # AWS makes it up
}
"""Types that name subnets for others, as `SubnetIds`, and the property that is their own name."""

MEMBERS: Final[Mapping[str, tuple[str, str, Public | None]]] = {
    "AWS::DocDB::DBInstance": ("DBClusterIdentifier", "AWS::DocDB::DBCluster", None),
    "AWS::Neptune::DBInstance": ("DBClusterIdentifier", "AWS::Neptune::DBCluster", _ACCESSIBLE),
    "AWS::RDS::DBInstance": (
        "DBClusterIdentifier", "AWS::RDS::DBCluster", Public("PubliclyAccessible", "true", default=None)
    ),
}  # fmt: skip
"""Types that are part of another's interface: the property that names it, its type, and what makes it public."""

TEMPLATES: Final[Mapping[str, Kind]] = {
    "AWS::AutoScaling::LaunchConfiguration": Kind(
        ("SecurityGroups",), (), public=Public("AssociatePublicIpAddress", "true")
    ),
    "AWS::EC2::LaunchTemplate": Kind(
        ("LaunchTemplateData.SecurityGroupIds", "LaunchTemplateData.NetworkInterfaces.Groups"),
        ("LaunchTemplateData.NetworkInterfaces.SubnetId",),
        public=Public("LaunchTemplateData.NetworkInterfaces.AssociatePublicIpAddress", "true"),
    ),
}
"""Types that are patterns of instances: what those who are made from them have."""
