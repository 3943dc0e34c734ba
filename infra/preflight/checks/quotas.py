"""Whether the account may have as much as a deployment needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.aws import Aws, Json
from infra.preflight.check import Inquiry
from infra.settings import Environment
from infra.sizes import needed_vcpus


def quota(aws: Aws, service: str, name: str) -> float | None:
    """What is granted of the quota ``name`` of ``service``: the account's own, or the default. ``None``: no such."""
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for found in aws.ask("service-quotas", operation, ServiceCode=service)["Quotas"]:
            if found["QuotaName"].casefold() == name.casefold():
                return float(found["Value"])
    return None


def request(service: str, name: str, needed: float) -> str:
    """How to get more."""
    return f"ask for {needed:g} of “{name}” of {service} in the Service Quotas console: it may take days"


def ask_fargate(inquiry: Inquiry) -> Iterator[Answer]:
    """While a deployment replaces all tasks at full size, there are twice as many."""
    name = "Fargate On-Demand vCPU resource count"
    granted = quota(inquiry.aws, "fargate", name)
    needed = needed_vcpus(inquiry.environment, inquiry.services)
    written = inquiry.environment.account.fargate_vcpus
    if granted is None:
        yield unknown(f"AWS names no quota “{name}”")
        return
    if granted < needed:
        yield bad(
            f"a deployment at full size needs {needed:g} vCPUs, and the account has {granted:g}",
            request("fargate", name, needed) + "; or lower compute.*.most",
        )
    else:
        yield good(f"{granted:g} vCPUs, of which a deployment at full size needs {needed:g}")
    if written > granted:
        yield bad(
            f"account.fargate_vcpus is {written}, and the account has {granted:g}",
            f"write fargate_vcpus = {granted:g}, or have more",
        )


@dataclass(frozen=True)
class _Limited:
    """``needed`` more of something, were there nothing of the environment yet; ``used`` counts what others have."""

    service: str
    quota: str
    needed: Callable[[Environment], int]
    used: Callable[[Aws, Environment], int]


def _nat_gateways(environment: Environment) -> int:
    return len(environment.network.nat_zones or environment.network.zones) if environment.has_nat else 0


def _tagged(resource: Json, environment: Environment) -> bool:
    tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
    return (tags.get("application"), tags.get("environment")) == ("sanctum", environment.name)


def _addresses(aws: Aws, environment: Environment) -> int:
    return sum(not _tagged(a, environment) for a in aws.ask("ec2", "describe_addresses")["Addresses"])


def _vpcs(aws: Aws, environment: Environment) -> int:
    return sum(not _tagged(v, environment) for v in aws.ask("ec2", "describe_vpcs")["Vpcs"])


def _clusters(aws: Aws, environment: Environment) -> int:
    own = environment.resource_name("users")
    found = aws.ask("rds", "describe_db_clusters")["DBClusters"]
    return sum(cluster["DBClusterIdentifier"] != own for cluster in found)


def _load_balancers(aws: Aws, environment: Environment) -> int:
    own = environment.resource_name()
    found = aws.ask("elbv2", "describe_load_balancers")["LoadBalancers"]
    return sum(b["Type"] == "application" and not b["LoadBalancerName"].startswith(own) for b in found)


LIMITED = (
    _Limited("vpc", "VPCs per Region", lambda _: 1, _vpcs),
    _Limited("ec2", "EC2-VPC Elastic IPs", _nat_gateways, _addresses),
    _Limited("rds", "DB clusters", lambda _: 1, _clusters),
    _Limited("elasticloadbalancing", "Application Load Balancers per Region", lambda _: 1, _load_balancers),
)
"""Those that a new account, or one that has other things in it, may not have enough of."""

LOG_POLICIES = 10
"""Resource policies of CloudWatch Logs in a region; not adjustable."""
OWN_LOG_POLICIES = 2


def ask_others(inquiry: Inquiry) -> Iterator[Answer]:
    """Quotas that what is in the account already may have used up."""
    environment, aws = inquiry.environment, inquiry.aws
    for limited in LIMITED:
        needed = limited.needed(environment)
        if not needed:
            continue
        granted, used = quota(aws, limited.service, limited.quota), limited.used(aws, environment)
        if granted is None:
            yield unknown(f"AWS names no quota “{limited.quota}” of {limited.service}")
        elif used + needed > granted:
            yield bad(
                f"“{limited.quota}” is {granted:g}: {used} are in use, and {needed} needed",
                request(limited.service, limited.quota, used + needed),
            )
        else:
            yield good(f"“{limited.quota}” is {granted:g}: {used} are in use, and {needed} needed")
    own = environment.resource_name()
    policies = aws.ask("logs", "describe_resource_policies")["resourcePolicies"]
    foreign = sum(not policy["policyName"].startswith(own) for policy in policies)
    if foreign + OWN_LOG_POLICIES > LOG_POLICIES:
        yield bad(
            f"there are {foreign} other resource policies of CloudWatch Logs, and {LOG_POLICIES} are all there can be",
            "remove those that nothing needs: `aws logs describe-resource-policies`",
        )
    else:
        yield good(f"{foreign} other resource policies of CloudWatch Logs, of {LOG_POLICIES}")
