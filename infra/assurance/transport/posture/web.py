"""What stands before the public: load balancers, web ACLs, distributions, stages of APIs.

<https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-associating-aws-resource.html>
"""

from collections.abc import Iterator
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport import classic, lattice, load_balancers
from infra.assurance.transport.posture.settings import NO, as_text
from infra.assurance.transport.served import Served
from infra.assurance.transport.values import at, attributes, read, spoken, tables, texts

ACL: Final = "AWS::WAFv2::WebACL"
BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
CLASSIC: Final = "AWS::ElasticLoadBalancing::LoadBalancer"
DISTRIBUTION: Final = "AWS::CloudFront::Distribution"
GUARDED: Final = frozenset(
    {"AWS::ApiGateway::Stage", "AWS::AppRunner::Service", "AWS::AppSync::GraphQLApi", "AWS::Cognito::UserPool"}
)
"""Other types that a web ACL can be associated with."""

# By attribute of a load balancer: the quality, and the value where it is not set.
# <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
_ATTRIBUTES: Final = {
    "deletion_protection.enabled": ("deletion protection", "false"),
    "access_logs.s3.enabled": ("access log", "false"),
}
_OF_APPLICATION: Final = {
    "routing.http.drop_invalid_header_fields.enabled": ("invalid headers dropped", "false"),
    "routing.http.desync_mitigation_mode": ("request smuggling", "defensive"),
    "waf.fail_open.enabled": ("passes unchecked when the web ACL fails", "false"),
}
_WORDS: Final = {"true": "yes", "false": NO}


def of_balancer(model: Model, balancer: Resource) -> Iterator[tuple[str, str]]:
    """Quality and value of an application, network or gateway load balancer."""
    application = (balancer.value("Type") or "application") == "application"
    yield "scheme", str(balancer.value("Scheme") or "internet-facing")
    given = attributes(balancer.value("LoadBalancerAttributes"))
    for key, (quality, unset) in {**_ATTRIBUTES, **(_OF_APPLICATION if application else {})}.items():
        value = given.get(key, unset)
        yield quality, _WORDS.get(value.lower(), value)
    if application:
        yield "web ACL", web_acl(model, balancer)


def of_listener(model: Model, listener: Resource) -> Iterator[tuple[str, str]]:
    """What a listener accepts, whether or not its load balancer is in the assembly and a network leads to it."""
    return (_accepts(served) for served in load_balancers.listens(model, listener))


def of_lattice_listener(_model: Model, listener: Resource) -> Iterator[tuple[str, str]]:
    """What a listener of VPC Lattice accepts."""
    yield _accepts(lattice.listens(listener))


def _accepts(served: Served) -> tuple[str, str]:
    return f"accepts on {served.over} {served.port}", f"{served.protocol}, TLS: {served.tls}"


def of_classic(balancer: Resource) -> Iterator[tuple[str, str]]:
    """Quality and value of a classic load balancer."""
    yield from (_accepts(served) for served in classic.accepted(balancer))
    yield "scheme", str(balancer.value("Scheme") or "internet-facing")
    yield "access log", _WORDS.get(str(read(balancer, "AccessLoggingPolicy.Enabled")).lower(), NO)


def of_distribution(model: Model, distribution: Resource) -> Iterator[tuple[str, str]]:
    """Quality and value of a distribution of CloudFront."""
    acl = read(distribution, "DistributionConfig.WebACLId")
    yield "web ACL", as_text(model, distribution, "WebACLId", acl or None, "none")
    yield "access log", str(read(distribution, "DistributionConfig.Logging.Bucket") or "none")


def web_acl(model: Model, resource: Resource) -> str:
    """The web ACL that a resource is associated with, or "none"."""
    for association in model.of_type("AWS::WAFv2::WebACLAssociation"):
        target = association.value("ResourceArn")
        if model.find(target) is resource or (isinstance(target, str) and _is_stage(target, resource)):
            return as_text(model, association, "WebACLArn", association.value("WebACLArn"), "none")
    return "none"


def _is_stage(arn: str, stage: Resource) -> bool:
    """A stage's ARN is made of its API's id and its name."""
    if stage.type != "AWS::ApiGateway::Stage":
        return False
    api = stage.value("RestApiId")
    return f"/restapis/{api}/" in arn and arn.rpartition("/stages/")[2] in (stage.value("StageName"), stage.ref)


def of_acl(model: Model, acl: Resource) -> Iterator[tuple[str, str]]:
    """What a web ACL does, a rule at a time, and whether it keeps a log."""
    yield "default action", _action(acl.value("DefaultAction"))
    for rule in tables(acl.value("Rules")):
        yield f"rule {rule.get('Name')}", _rule(rule)
    for each in model.of_type("AWS::WAFv2::LoggingConfiguration"):
        if model.find(each.value("ResourceArn"), ACL) is acl:
            yield "log", spoken(_log(model, arn) for arn in texts(each.value("LogDestinationConfigs")))
            return
    yield "log", "none"


def _log(model: Model, arn: str) -> str:
    """A log group is named without the `:*` at the end of its ARN."""
    found = model.find(arn) or model.find(f"{arn}:*")
    return found.name if found else arn


def _action(value: Json) -> str:
    return next((key.lower() for key in cast("dict[str, Json]", value)), "none") if isinstance(value, dict) else "none"


def _rule(rule: dict[str, Json]) -> str:
    """Its action; of a group of rules, whether it only counts, and which of its rules do not block."""
    if rule.get("Action"):
        return _action(rule["Action"])
    if _action(rule.get("OverrideAction")) == "count":
        return "count"
    statement = rule.get("Statement")
    group = at(statement, "ManagedRuleGroupStatement") or at(statement, "RuleGroupReferenceStatement")
    actions = [
        (each.get("Name"), _action(each.get("ActionToUse"))) for each in tables(at(group, "RuleActionOverrides"))
    ]
    changed = [f"{name} {action}" for name, action in actions if action != "block"]
    changed += [f"{each.get('Name')} count" for each in tables(at(group, "ExcludedRules"))]
    if at(group, "ScopeDownStatement"):
        changed.append("on some requests only")
    return "as the group says" + (f", but {', '.join(sorted(changed))}" if changed else "")
