"""What the way of requests and packets costs."""

import json
from collections.abc import Iterator

from infra.costs.assumptions import DNS_QUERIES_A_TASK, FIREWALL_LOG_GB, REQUESTS
from infra.costs.compute import tasks
from infra.costs.deployed import Deployed
from infra.costs.line import Line


def load_balancers(deployed: Deployed) -> Iterator[Line]:
    """The load balancer, and the public address that it holds in each zone; requests come on top."""
    balancers = deployed.of("AWS::ElasticLoadBalancingV2::LoadBalancer")
    if balancers:
        yield Line("Load balancer", f"{len(balancers)}, no requests", "alb.hour", len(balancers))
    public = [b for b in balancers if b.properties.get("Scheme") == "internet-facing"]
    if addresses := sum(len(b.properties["Subnets"]) for b in public):
        yield Line("Its public addresses", f"one in each of {addresses} zones", "ipv4.hour", addresses)


def endpoints(deployed: Deployed) -> Iterator[Line]:
    """Interface endpoints, for each zone they are in. Gateway endpoints are free."""
    interfaces = [
        len(endpoint.properties["SubnetIds"])
        for endpoint in deployed.of("AWS::EC2::VPCEndpoint")
        if endpoint.properties["VpcEndpointType"] == "Interface"
    ]
    if interfaces:
        zones = ", ".join(
            f"{interfaces.count(n)} in {n} zone{'s' if n > 1 else ''}" for n in sorted(set(interfaces), reverse=True)
        )
        yield Line("Interface endpoints", zones, "endpoint.hour", sum(interfaces))


def nat(deployed: Deployed) -> Iterator[Line]:
    """NAT gateways and the addresses they hold; each GB comes on top."""
    gateways, addresses = deployed.of("AWS::EC2::NatGateway"), deployed.of("AWS::EC2::EIP")
    if gateways:
        yield Line("NAT gateways", f"{len(gateways)}, no traffic", "nat.hour", len(gateways))
    if addresses:
        yield Line("Elastic IP addresses", f"{len(addresses)}", "ipv4.hour", len(addresses))


def lattice(deployed: Deployed) -> Iterator[Line]:
    """Services of VPC Lattice; networks and associations are free."""
    if services := deployed.of("AWS::VpcLattice::Service"):
        yield Line("VPC Lattice", f"{len(services)} service", "lattice.hour", len(services))


def dns(deployed: Deployed) -> Iterator[Line]:
    """The operator's hosted zone, and DNS Firewall by domain and query."""
    zones = {json.dumps(r.properties.get("HostedZoneId")) for r in deployed.of("AWS::Route53::RecordSet")}
    if zones:
        yield Line("Hosted zone", "yours, where the address record is made", "route53.zone", len(zones))
    domains = sum(
        len(domain_list.properties.get("Domains", ()))
        for domain_list in deployed.of("AWS::Route53Resolver::FirewallDomainList")
    )
    if domains:
        yield Line("DNS Firewall", f"{domains} domains", "dns_firewall.domain", domains)
    if deployed.of("AWS::Route53Resolver::FirewallRuleGroupAssociation"):
        queries = sum(task.least for task in tasks(deployed)) * DNS_QUERIES_A_TASK / 1e6
        yield Line("DNS Firewall, queries", "assumed", "dns_firewall.queries", queries)


def firewall(deployed: Deployed) -> Iterator[Line]:
    """The web ACL and its rules; a managed group counts as one."""
    acls = deployed.of("AWS::WAFv2::WebACL")
    if acls:
        rules = sum(len(acl.properties.get("Rules", ())) for acl in acls)
        yield Line("WAF", f"{len(acls)} web ACL", "waf.acl", len(acls))
        yield Line("WAF, rules", f"{rules}, a managed group is one", "waf.rule", rules)
        yield Line("WAF, requests", "assumed", "waf.requests", REQUESTS / 1e6)
    if logging := deployed.of("AWS::WAFv2::LoggingConfiguration"):
        yield Line("WAF, log", "assumed", "logs.ingest", len(logging) * FIREWALL_LOG_GB)


COUNTERS = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": load_balancers,
    "AWS::EC2::VPCEndpoint": endpoints,
    "AWS::EC2::NatGateway": nat,
    "AWS::EC2::EIP": nat,
    "AWS::VpcLattice::Service": lattice,
    "AWS::Route53::RecordSet": dns,
    "AWS::Route53Resolver::FirewallDomainList": dns,
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": dns,
    "AWS::WAFv2::WebACL": firewall,
    "AWS::WAFv2::LoggingConfiguration": firewall,
}
