"""Accounts to which AWS offers what the settings need, and others."""

from tests.infra.preflight.case import BAD, GOOD, UNKNOWN, Case
from tests.infra.preflight.conftest import ENVIRONMENTS
from tests.infra.preflight.recorded import Json, Refused

ZONES = ENVIRONMENTS["prod"].network.zones
LATTICE, S3 = ENVIRONMENTS["prod"].network.lattice_prefix_list, ENVIRONMENTS["prod"].network.s3_prefix_list


def zones(*, ids: tuple[str, ...] = ("use1-az1", "use1-az2", "use1-az4"), names: tuple[str, ...] = ZONES) -> Json:
    zones = [{"ZoneName": n, "ZoneId": i, "State": "available"} for n, i in zip(names, ids, strict=True)]
    return {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": zones}}


def _endpoint(service: str, zones: tuple[str, ...] = ZONES) -> Json:
    name = f"com.amazonaws.us-east-1.{service}"
    return {"ServiceName": name, "ServiceType": [{"ServiceType": "Interface"}], "AvailabilityZones": list(zones)}


def _endpoints(model_zones: tuple[str, ...] = ZONES) -> Json:
    details = [_endpoint(service) for service in ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms")]
    return {
        "ec2.DescribeVpcEndpointServices": {"ServiceDetails": [*details, _endpoint("bedrock-runtime", model_zones)]}
    }


def _prefix_lists(lattice: str = LATTICE) -> Json:
    names = {"vpc-lattice": lattice, "s3": S3}
    found = [{"PrefixListName": f"com.amazonaws.us-east-1.{n}", "PrefixListId": i} for n, i in names.items()]
    return {"ec2.DescribeManagedPrefixLists": {"PrefixLists": found}}


def _quota(name: str, value: float, *, applied: bool = True) -> Json:
    quotas = {"Quotas": [{"QuotaName": name, "Value": value}]}
    return {
        "service-quotas.ListServiceQuotas": quotas if applied else {"Quotas": []},
        "service-quotas.ListAWSDefaultServiceQuotas": quotas,
    }


def _vcpus(value: float, *, applied: bool = True) -> Json:
    return _quota("Fargate On-Demand vCPU resource count", value, applied=applied)


def _quotas(*, vpcs: int = 1, policies: int = 3, own_vpc: bool = False) -> Json:
    tags = [{"Key": "application", "Value": "sanctum"}, {"Key": "environment", "Value": "prod"}]
    names = ("VPCs per Region", "EC2-VPC Elastic IPs", "DB clusters", "Application Load Balancers per Region")
    return {
        "service-quotas.ListServiceQuotas": {"Quotas": [{"QuotaName": n, "Value": 5} for n in names]},
        "service-quotas.ListAWSDefaultServiceQuotas": {"Quotas": []},
        "ec2.DescribeVpcs": {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in range(vpcs)] + [{"Tags": tags}] * own_vpc},
        "ec2.DescribeAddresses": {"Addresses": []},
        "rds.DescribeDBClusters": {"DBClusters": [{"DBClusterIdentifier": "sanctum-prod-users"}]},
        "elbv2.DescribeLoadBalancers": {"LoadBalancers": []},
        "logs.DescribeResourcePolicies": {"resourcePolicies": [{"policyName": f"p{n}"} for n in range(policies)]},
    }


def _versions(*versions: str) -> Json:
    found = [{"EngineVersion": v, "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1"]} for v in versions]
    return {"rds.DescribeDBEngineVersions": {"DBEngineVersions": found}}


def _serverless(zones: tuple[str, ...]) -> Json:
    options = [{"AvailabilityZones": [{"Name": zone} for zone in zones]}]
    return {"rds.DescribeOrderableDBInstanceOptions": {"OrderableDBInstanceOptions": options}}


def _nodes(zones: tuple[str, ...], *, encrypted: bool = True) -> Json:
    instance = {"InstanceType": "m7g.medium.search", "EncryptionEnabled": encrypted, "AvailabilityZones": list(zones)}
    return {
        "opensearch.ListVersions": {"Versions": ["OpenSearch_3.7", "OpenSearch_3.5"]},
        "opensearch.ListInstanceTypeDetails": {"InstanceTypeDetails": [instance]},
    }


CASES = [
    Case("Zones", "ready", zones(), GOOD, "us-east-1c is use1-az4"),
    Case("Zones", "no lattice", zones(ids=("use1-az1", "use1-az2", "use1-az3")), BAD, "where there is no VPC Lattice"),
    Case("Zones", "missing", zones(names=("us-east-1a", "us-east-1b", "us-east-1f")), BAD, "us-east-1c does not exist"),
    Case(
        "Zones",
        "other ids",
        zones(),
        BAD,
        'write zone_ids = ["use1-az1", "use1-az2", "use1-az4"]',
        settings={"network.zone_ids": ("use1-az1", "use1-az2", "use1-az6")},
    ),
    Case("Endpoints", "ready", _endpoints(), GOOD, "bedrock-runtime is in"),
    Case(
        "Endpoints", "not everywhere", _endpoints(ZONES[:2]), BAD, "write network.model_endpoint_zones with us-east-1a"
    ),
    Case(
        "Endpoints",
        "none",
        {"ec2.DescribeVpcEndpointServices": {"ServiceDetails": []}},
        BAD,
        "kms is not in us-east-1a",
    ),
    Case("Endpoints", "nat", {}, GOOD, "none", settings={"network.egress": "nat"}),
    Case("Prefix lists", "ready", _prefix_lists(), GOOD, LATTICE),
    Case("Prefix lists", "another", _prefix_lists("pl-0aaaaaaaaaaaaaaaa"), BAD, 'lattice_prefix_list = "pl-0aaaaa'),
    Case("Prefix lists", "none", {"ec2.DescribeManagedPrefixLists": {"PrefixLists": []}}, BAD, "has no com.amazonaws"),
    Case("Fargate quota", "ready", _vcpus(400), GOOD, "400 vCPUs"),
    Case("Fargate quota", "default", _vcpus(6, applied=False), BAD, "of “Fargate On-Demand vCPU resource count”"),
    Case("Fargate quota", "less than written", _vcpus(39), BAD, "write fargate_vcpus = 39"),
    Case("Fargate quota", "renamed", _quota("Something", 1), UNKNOWN, "AWS names no quota"),
    Case("Quotas", "ready", _quotas(), GOOD, "“VPCs per Region” is 5: 1 are in use, and 1 needed"),
    Case("Quotas", "own", _quotas(vpcs=4, own_vpc=True), GOOD, "4 are in use"),
    Case("Quotas", "full", _quotas(vpcs=5), BAD, "ask for 6 of “VPCs per Region” of vpc"),
    Case("Quotas", "policies", _quotas(policies=9), BAD, "resource policies"),
    Case("Quotas", "addresses", _quotas(), GOOD, "0 are in use, and 3 needed", settings={"network.egress": "nat"}),
    Case(
        "Database",
        "ready",
        _versions("17.7") | _serverless(ZONES),
        GOOD,
        "serverless instances in us-east-1a, us-east-1b, us-east-1c",
    ),
    Case("Database", "zones", _versions("17.7") | _serverless(ZONES[:2]), BAD, "no serverless instances in us-east-1c"),
    Case("Database", "version", _versions(), BAD, "Aurora PostgreSQL 17.7 is not offered"),
    Case("Memory", "ready", _nodes(ZONES), GOOD, "m7g.medium.search for OpenSearch_3.5"),
    Case("Memory", "zones", _nodes(ZONES[1:]), BAD, "is not in us-east-1a"),
    Case("Memory", "unencrypted", _nodes(ZONES, encrypted=False), BAD, "cannot be encrypted"),
    Case("Memory", "another type", _nodes(ZONES), BAD, "is not offered", settings={"memory.instance": "x9.a.search"}),
    Case(
        "Memory",
        "no such type",
        _nodes(ZONES) | {"opensearch.ListInstanceTypeDetails": Refused("ValidationException: x")},
        BAD,
        "is not offered",
    ),
    Case("Memory", "engine", {"opensearch.ListVersions": {"Versions": ["OpenSearch_2.19"]}}, BAD, "is not offered in"),
    Case("Memory", "zones by id", _nodes(("use1-az1",)), UNKNOWN, "does not say in which zones"),
    Case("Memory", "zones not told", _nodes(()), UNKNOWN, "does not say in which zones"),
]
