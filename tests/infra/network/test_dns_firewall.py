"""Only names that are needed can be looked up."""

from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, reference


def _domain_list(stacks: Stacks, rule: Json) -> list[str]:
    lists = stacks["Network"].resources("AWS::Route53Resolver::FirewallDomainList")
    return lists[reference(rule["FirewallDomainListId"])]["Properties"]["Domains"]


@promise(
    unassociated=without("AWS::Route53Resolver::FirewallRuleGroupAssociation"),
    other_vpc=setting("AWS::Route53Resolver::FirewallRuleGroupAssociation", "VpcId", "vpc-1"),
    rest_allowed=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Action", "ALERT"),
    reversed=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Priority", 1),
    one_type=setting("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.1.Qtype", "TXT"),
    all_of_aws=setting("AWS::Route53Resolver::FirewallDomainList", "Domains.0", "*.amazonaws.com"),
    all_else=setting("AWS::Route53Resolver::FirewallDomainList", "Domains", ["*.example.com"]),
)
def test_only_names_that_are_needed_can_be_looked_up_so_that_none_carries_anything_out(stacks: Stacks) -> None:
    network, region, account = stacks["Network"], stacks.settings.account.region, stacks.settings.account.id
    (vpc,), (group,) = (
        network.resources(kind) for kind in ("AWS::EC2::VPC", "AWS::Route53Resolver::FirewallRuleGroup")
    )
    association = network.only("AWS::Route53Resolver::FirewallRuleGroupAssociation")
    assert association["VpcId"] == {"Ref": vpc}
    assert reference(association["FirewallRuleGroupId"]) == group
    rules_ = network.only("AWS::Route53Resolver::FirewallRuleGroup")["FirewallRules"]
    allow, block = sorted(rules_, key=lambda rule: rule["Priority"])
    assert (block["Action"], block.get("BlockResponse"), block.get("Qtype")) == ("BLOCK", "NXDOMAIN", None)
    assert (_domain_list(stacks, block), allow["Action"]) == (["*"], "ALLOW")
    model = stacks.settings.model.host or f"bedrock-runtime.{region}.amazonaws.com"
    layers = f"prod-{region}-starport-layer-bucket.s3"
    exports = f"sanctum-{stacks.settings.name}-key-exports-{account}-{region}.s3"
    assert set(_domain_list(stacks, allow)) == {
        model,
        f"api.ecr.{region}.amazonaws.com",
        f"{account}.dkr.ecr.{region}.amazonaws.com",
        *(f"{service}.{region}.amazonaws.com" for service in ("logs", "secretsmanager", "kms", layers, exports)),
        f"{layers}.amazonaws.com",
        f"{exports}.amazonaws.com",
        f"*.{region}.rds.amazonaws.com",
        f"*.{region}.es.amazonaws.com",
        f"*.vpc-lattice-svcs.{region}.on.aws",
    }


@promise(
    inspected=without("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules.0.FirewallDomainRedirectionAction")
)
def test_names_that_are_aliases_of_others_resolve_because_their_owner_is_trusted_with_them(stacks: Stacks) -> None:
    rules_ = stacks["Network"].only("AWS::Route53Resolver::FirewallRuleGroup")["FirewallRules"]
    allow = min(rules_, key=lambda rule: rule["Priority"])
    assert allow.get("FirewallDomainRedirectionAction") == "TRUST_REDIRECTION_DOMAIN"
