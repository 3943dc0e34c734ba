"""Which names the VPC may look up: those it needs, and no other."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53resolver as resolver
from constructs import Construct


class DnsFirewall(Construct):
    """Route 53 Resolver DNS Firewall on a VPC: ``allowed`` resolve, for anything else there is no such domain.

    For a VPC without a way out too, because the resolver is one: whoever can look up any name can tell the owner of
    its domain anything, a label at a time. It costs 0.0005 USD a name and month and 0.60 USD a million queries.

    Where a name is an alias of another (CNAME), only the name asked for is looked at. Its owner, AWS or the model's
    provider, is trusted with where it leads; the names behind it change without notice, and listing them would open
    them for every other tenant of the same host.

    When the firewall itself fails, queries fail: a VPC is that way unless somebody turns it around (Route 53 guide,
    "DNS Firewall VPC configuration"), for which CloudFormation has no resource.

    It does not stop who needs no name: with a NAT gateway, a connection to an address written as digits goes through,
    and so does one to a stranger's host under an allowed wildcard. Stopping these takes AWS Network Firewall, about
    290 USD a month and zone.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, name: str, allowed: Sequence[str]
    ) -> None:
        """``allowed``: host names, or ``*.domain`` for all below it. ``name`` is that of the rule group."""
        super().__init__(scope, construct_id)

        def domains(list_id: str, suffix: str, names: Sequence[str]) -> str:
            return resolver.CfnFirewallDomainList(self, list_id, name=f"{name}-{suffix}", domains=list(names)).attr_id

        rule = resolver.CfnFirewallRuleGroup.FirewallRuleProperty
        group = resolver.CfnFirewallRuleGroup(
            self,
            "Rules",
            name=name,
            firewall_rules=[
                rule(
                    priority=100,
                    action="ALLOW",
                    firewall_domain_list_id=domains("Allowed", "allowed", allowed),
                    firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
                ),
                rule(
                    priority=200,
                    action="BLOCK",
                    block_response="NXDOMAIN",
                    firewall_domain_list_id=domains("Others", "others", ["*"]),
                ),
            ],
        )
        resolver.CfnFirewallRuleGroupAssociation(
            self, "Vpc", name=name, firewall_rule_group_id=group.attr_id, vpc_id=vpc.vpc_id, priority=101
        )
