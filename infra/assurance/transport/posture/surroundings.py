"""Networks, machines and accounts: what is recorded, what gets an address, who has a long-lived key."""

from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.posture.settings import NO, YES, as_text
from infra.assurance.transport.values import as_truth, at, number, read, tables, texts

_VPC: Final = "AWS::EC2::VPC"


def of_vpc(model: Model, vpc: Resource) -> Iterator[tuple[str, str]]:
    """Its flow logs, and which rules its DNS firewall has."""
    logs = [
        f"{log.value('TrafficType') or 'ALL'} to {_destination(model, log)}"
        for log in model.of_type("AWS::EC2::FlowLog")
        if model.find(log.value("ResourceId"), _VPC) is vpc
    ]
    yield "flow log", ", ".join(sorted(logs)) or "none"
    for association in model.of_type("AWS::Route53Resolver::FirewallRuleGroupAssociation"):
        if model.find(association.value("VpcId"), _VPC) is vpc:
            group = association.value("FirewallRuleGroupId")
            found = model.find(group, "AWS::Route53Resolver::FirewallRuleGroup")
            yield "DNS firewall", found.name if found else str(group)


def of_subnet_routes(model: Model, association: Resource) -> Iterator[tuple[str, str, str]]:
    """Each route that a subnet has by its table, beside those inside the VPC: it is a way out whatever groups admit."""
    subnet = model.find(association.value("SubnetId"), "AWS::EC2::Subnet")
    for route in model.of_type("AWS::EC2::Route"):
        if route.value("RouteTableId") == association.value("RouteTableId"):
            target = next((key for key in route.properties if key.endswith(("GatewayId", "InterfaceId", "Arn"))), "?")
            destination = next((str(value) for key, value in route.properties.items() if "Destination" in key), "?")
            name = subnet.name if subnet else str(association.value("SubnetId"))
            yield name, "route", f"{destination} by {target.removesuffix('Id')}"


def of_domains(_model: Model, names: Resource) -> Iterator[tuple[str, str]]:
    """Each name of a list that a DNS firewall allows or blocks; a list may stand in a file elsewhere."""
    for name in texts(names.value("Domains")):
        yield "domain", name
    if file := names.value("DomainFileUrl"):
        yield "domains", str(file)


def of_dns_firewall(model: Model, group: Resource) -> Iterator[tuple[str, str]]:
    """Each rule, in the order in which they are asked."""
    rules = [(number(rule.get("Priority"), group, "Priority"), rule) for rule in tables(group.value("FirewallRules"))]
    for place, (_, rule) in enumerate(sorted(rules, key=itemgetter(0)), start=1):
        names = rule.get("FirewallDomainListId")
        found = model.find(names, "AWS::Route53Resolver::FirewallDomainList")
        yield f"rule {place}", f"{rule.get('Action')} {found.name if found else names}"


def _destination(model: Model, log: Resource) -> str:
    value = log.value("LogDestination") or log.value("LogGroupName")
    found = model.find(value, near=log)
    return found.name if found else str(value)


def of_instance(resource: Resource) -> Iterator[tuple[str, str]]:
    """EC2 instances and launch templates: their metadata service, and whether they ask for a public address.

    <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>
    """
    template = resource.type == "AWS::EC2::LaunchTemplate"
    data: Json = resource.value("LaunchTemplateData") if template else dict(resource.properties)
    tokens = at(data, "MetadataOptions.HttpTokens")
    yield "instance metadata service", str(tokens or "image decides")
    if key := at(data, "KeyName"):
        yield "SSH key", str(key)
    asked = [each.get("AssociatePublicIpAddress") for each in tables(at(data, "NetworkInterfaces"))]
    given = [as_truth(each, resource, "AssociatePublicIpAddress") for each in asked if each is not None]
    yield "public address", "subnet decides" if not given else YES if any(given) else NO


def of_trail(trail: Resource) -> Iterator[tuple[str, str]]:
    """Whether what is done to the account itself is recorded.

    <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
    """
    simple, advanced = tables(trail.value("EventSelectors")), tables(trail.value("AdvancedEventSelectors"))
    included = (each for each in simple if each.get("IncludeManagementEvents", True) is not False)
    recorded = [str(each.get("ReadWriteType") or "All") for each in included]
    for selector in advanced:
        fields = {str(each.get("Field")): texts(each.get("Equals")) for each in tables(selector.get("FieldSelectors"))}
        if "Management" in fields.get("eventCategory", []):
            recorded.append({"true": "ReadOnly", "false": "WriteOnly"}.get("".join(fields.get("readOnly", [])), "All"))
    if not simple and not advanced:
        recorded = ["All"]
    yield "management events", ", ".join(sorted(set(recorded))) or "none"


def of_rule(_model: Model, rule: Resource) -> Iterator[tuple[str, str]]:
    """Which other accounts its events go to."""
    for target in tables(rule.value("Targets")):
        account = str(target.get("Arn")).split(":")[4:5]
        if account and account[0] not in {"", rule.stack.account}:
            yield "events sent to", f"account {account[0]}"


def of_subscription(model: Model, subscription: Resource) -> Iterator[tuple[str, str]]:
    """Where messages go that go to no person."""
    if str(subscription.value("Protocol")) not in {"email", "email-json", "sms"}:
        endpoint = subscription.value("Endpoint")
        yield "delivered to", as_text(model, subscription, "Endpoint", endpoint, "?")


def of_user(model: Model, user: Resource) -> Iterator[tuple[str, str]]:
    """An IAM user is an identity with credentials that do not expire."""
    yield "long-lived identity", "with a password" if user.value("LoginProfile") else YES
    if groups := user.value("Groups"):
        yield "groups", as_text(model, user, "Groups", groups, "none")


def of_kubernetes(cluster: Resource) -> Iterator[tuple[str, str]]:
    """<https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html>."""
    types = tables(read(cluster, "Logging.ClusterLogging.EnabledTypes"))
    yield "logs", ", ".join(sorted(str(each.get("Type")) for each in types)) or "none"
