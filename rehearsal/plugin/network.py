"""EC2's types that have an API in MiniStack, but no handler: flow logs, and rules of security groups by themselves."""

import uuid
from typing import Any

from rehearsal.plugin.client import client
from rehearsal.plugin.handlers import Create, Delete, Json, Made, register

_FLOW_LOG = ("LogDestinationType", "LogGroupName", "LogDestination", "DeliverLogsPermissionArn")


def install() -> None:
    """Make them known."""
    register("AWS::EC2::FlowLog", _flow_log, _no_flow_log)
    register("AWS::EC2::SecurityGroupIngress", *_rule("ingress", "SourceSecurityGroupId", "SourcePrefixListId"))
    register("AWS::EC2::SecurityGroupEgress", *_rule("egress", "DestinationSecurityGroupId", "DestinationPrefixListId"))


def _flow_log(_: str, properties: Json, __: str) -> Made:
    given = {name: properties[name] for name in _FLOW_LOG if name in properties}
    made = client("ec2").create_flow_logs(
        ResourceIds=[properties["ResourceId"]],
        ResourceType=properties["ResourceType"],
        TrafficType=properties["TrafficType"],
        **given,
    )
    (name,) = made["FlowLogIds"]
    return name, {"Id": name}


def _no_flow_log(name: str, _: Json) -> None:
    client("ec2").delete_flow_logs(FlowLogIds=[name])


def _rule(direction: str, group: str, prefixes: str) -> tuple[Create, Delete]:
    def create(_: str, properties: Json, __: str) -> Made:
        rule = _permission(properties, group, prefixes)
        answer = _call("authorize", direction)(GroupId=properties["GroupId"], IpPermissions=[rule])
        rules: list[Json] = answer.get("SecurityGroupRules") or [{}]
        name = str(rules[0].get("SecurityGroupRuleId") or f"sgr-{uuid.uuid4().hex[:17]}")
        return name, {"Id": name}

    def delete(_: str, properties: Json) -> None:
        rule = _permission(properties, group, prefixes)
        _call("revoke", direction)(GroupId=properties["GroupId"], IpPermissions=[rule])

    return create, delete


def _call(verb: str, direction: str) -> Any:
    return getattr(client("ec2"), f"{verb}_security_group_{direction}")


def _permission(properties: Json, group: str, prefixes: str) -> Json:
    said = {"Description": properties["Description"]} if "Description" in properties else {}
    rule: Json = {"IpProtocol": str(properties["IpProtocol"])}
    rule |= {name: int(properties[name]) for name in ("FromPort", "ToPort") if name in properties}
    if group in properties:
        rule["UserIdGroupPairs"] = [{"GroupId": properties[group], **said}]
    if prefixes in properties:
        rule["PrefixListIds"] = [{"PrefixListId": properties[prefixes], **said}]
    if "CidrIp" in properties:
        rule["IpRanges"] = [{"CidrIp": properties["CidrIp"], **said}]
    return rule
