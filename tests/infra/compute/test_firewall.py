"""The firewall: what it stops, what it lets people say, and what of it is written down.

Requests are judged here as AWS WAF would (its guide, "Setting rule priority", "Overriding rule group actions" and
"Using labels"), with the managed rules that they are said to match.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from infra.services import read_services
from tests.infra.compute.edge import BALANCER, LISTENER, attributes_of, is_problem, set_attribute
from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, reference, strings

ACL, ASSOCIATION, LOGGING = (f"AWS::WAFv2::{kind}" for kind in ("WebACL", "WebACLAssociation", "LoggingConfiguration"))
WIDTH = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
}
"""Capacity units of the managed groups, as their pages in the AWS WAF guide say."""
BODIES = {
    "SizeRestrictions_BODY": "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body",
    "EC2MetaDataSSRF_BODY": "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body",
    "GenericLFI_BODY": "awswaf:managed:aws:core-rule-set:GenericLFI_Body",
    "GenericRFI_BODY": "awswaf:managed:aws:core-rule-set:GenericRFI_Body",
    "CrossSiteScripting_BODY": "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body",
    "JavaDeserializationRCE_BODY": "awswaf:managed:aws:known-bad-inputs:JavaDeserializationRCE_Body",
    "Log4JRCE_BODY": "awswaf:managed:aws:known-bad-inputs:Log4JRCE_Body",
    "ReactJSRCE_BODY": "awswaf:managed:aws:known-bad-inputs:ReactJSRCE_Body",
    "SQLi_BODY": "awswaf:managed:aws:sql-database:SQLi_Body",
    "SQLiExtendedPatterns_BODY": "awswaf:managed:aws:sql-database:SQLiExtendedPatterns_Body",
}
"""Every rule of these groups that reads bodies, and its label, as the same pages say."""
HEADS = ("UserAgent_BadBots_HEADER", "GenericLFI_URIPATH", "Log4JRCE_HEADER", "SQLi_QUERYARGUMENTS")
"""Some of those that do not."""

MESSAGES = "/api/v1/conversations/0b8ed3e2-5a0b-4a6e-9d53-0c2f3ad2a4f1/messages"
WORDS = (MESSAGES, "/api/v1/auth/register", "/api/v1/auth/token", "/api/v1/auth/password")
ELSEWHERE = (
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/conversations",
    "/api/v1/users/me",
    f"{MESSAGES}/",
    f"{MESSAGES}/more",
    f"/{MESSAGES}",
    f"/x{MESSAGES}",
    "/api/v1/conversations/..%2f..%2fauth%2frefresh%3f/messages",
    "/api/v1/auth/tokens",
    "/api/v1/authXtoken",
)


def _acls(stacks: Stacks) -> list[Json]:
    """The web ACL, in an environment whose settings have a firewall."""
    found = stacks.properties(ACL)
    assert len(found) == stacks.settings.web.firewall
    return found


def _groups(acl: Json) -> Iterator[tuple[Json, Json]]:
    """Each rule that is a managed group, and its statement."""
    for rule in acl["Rules"]:
        if statement := rule["Statement"].get("ManagedRuleGroupStatement"):
            yield rule, statement


@dataclass
class _Request:
    path: str
    matches: frozenset[str]
    """Managed rules."""
    labels: set[str]


def _holds(statement: Json, request: _Request) -> bool:
    ((kind, what),) = statement.items()
    match kind:
        case "AndStatement":
            return all(_holds(s, request) for s in what["Statements"])
        case "OrStatement":
            return any(_holds(s, request) for s in what["Statements"])
        case "NotStatement":
            return not _holds(what["Statement"], request)
        case "LabelMatchStatement":
            assert what["Scope"] == "LABEL"
            return what["Key"] in request.labels
        case "RegexMatchStatement":
            assert what["FieldToMatch"] == {"UriPath": {}}
            assert [t["Type"] for t in what["TextTransformations"]] == ["NONE"]
            return re.search(what["RegexString"], request.path) is not None
        case "RateBasedStatement":
            return False
        case _:
            raise AssertionError(f"unknown to this test: {kind}")


def _judge(acl: Json, path: str, *matches: str) -> Json | None:
    """What a request that matches these managed rules is blocked with; nothing when it is let through."""
    request = _Request(path, frozenset(matches), set())
    for rule in sorted(acl["Rules"], key=lambda r: r["Priority"]):
        if group := rule["Statement"].get("ManagedRuleGroupStatement"):
            for override in group["RuleActionOverrides"]:
                if override["Name"] in request.matches:
                    if "Block" in override["ActionToUse"] and "None" in rule["OverrideAction"]:
                        return override["ActionToUse"]["Block"]
                    request.labels |= {BODIES[override["Name"]]} if override["Name"] in BODIES else set()
        elif _holds(rule["Statement"], request) and "Block" in rule["Action"]:
            return rule["Action"]["Block"]
    assert acl["DefaultAction"] == {"Allow": {}}
    return None


def _override(name: str, action: Json) -> Mutation:
    """Have one managed rule do something else."""

    def mutate(stacks: Stacks) -> None:
        for acl in stacks.properties(ACL):
            rules = {rule["Name"]: rule for _, group in _groups(acl) for rule in group["RuleActionOverrides"]}
            rules[name]["ActionToUse"] = action

    return mutate


def _statement(change: Callable[[list[Json]], object]) -> Mutation:
    """Change the parts of the rule about bodies, whose first are the labels and the others the routes."""

    def mutate(stacks: Stacks) -> None:
        for acl in stacks.properties(ACL):
            change(acl["Rules"][-1]["Statement"]["AndStatement"]["Statements"])

    return mutate


def _loose_path(parts: list[Json]) -> None:
    parts[-1]["NotStatement"]["Statement"]["RegexMatchStatement"]["RegexString"] = "/messages"


LAST = "Rules.5"


@promise(
    sql=_override("SQLi_BODY", {"Block": {}}),
    size=_override("SizeRestrictions_BODY", {"Block": {}}),
    no_such_route=_statement(lambda parts: parts.pop()),
    no_route=_statement(lambda parts: parts.__delitem__(slice(1, None))),
)
def test_people_may_write_what_they_like_where_they_write(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        for path in WORDS:
            for rule in BODIES:
                assert _judge(acl, path, rule) is None, f"{rule} on {path}"
            assert _judge(acl, path, *BODIES) is None


@promise(
    sql_counts_only=_statement(lambda parts: parts[0]["OrStatement"]["Statements"].pop()),
    counts_only=setting(ACL, f"{LAST}.Action", {"Count": {}}),
    judged_first=setting(ACL, f"{LAST}.Priority", -1),
    any_messages=_statement(_loose_path),
    not_counted=_override("Log4JRCE_BODY", {"Allow": {}}),
)
def test_a_body_that_looks_like_an_attack_is_stopped_where_no_words_are_expected(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        counted = {
            r["Name"] for _, g in _groups(acl) for r in g["RuleActionOverrides"] if r["ActionToUse"] == {"Count": {}}
        }
        assert counted == BODIES.keys()
        for path in ELSEWHERE:
            assert _judge(acl, path) is None
            for rule in BODIES:
                assert _judge(acl, path, rule) is not None, f"{rule} on {path}"


@promise(
    one_counts=_override("Log4JRCE_HEADER", {"Count": {}}),
    all_count=setting(ACL, "Rules.2.OverrideAction", {"Count": {}}),
    message_route_left_out=setting(ACL, "Rules.2.Statement.ManagedRuleGroupStatement.ScopeDownStatement", {}),
    one_group_missing=setting(ACL, "Rules.4.Statement.ManagedRuleGroupStatement.Name", "AWSManagedRulesLinuxRuleSet"),
    no_firewall=without(ACL),
)
def test_the_head_of_a_request_is_judged_everywhere(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        assert {group["Name"] for _, group in _groups(acl)} == WIDTH.keys()
        assert not [group for _, group in _groups(acl) if "ScopeDownStatement" in group]
        for path in WORDS + ELSEWHERE:
            for rule in HEADS:
                assert _judge(acl, path, rule) is not None, f"{rule} on {path}"


def _blocks(acl: Json) -> Iterator[Json]:
    for rule in acl["Rules"]:
        for action in (rule, *rule["Statement"].get("ManagedRuleGroupStatement", {}).get("RuleActionOverrides", [])):
            if block := action.get("Action", action.get("ActionToUse", {})).get("Block"):
                yield block


@promise(
    bare=_override("GenericLFI_URIPATH", {"Block": {"CustomResponse": {"ResponseCode": 403}}}),
    page=setting(ACL, "CustomResponseBodies.forbidden.ContentType", "TEXT_HTML"),
    text=setting(ACL, "CustomResponseBodies.forbidden.Content", "Forbidden"),
    other_status=setting(ACL, f"{LAST}.Action.Block.CustomResponse.ResponseCode", 404),
    unreadable=setting(ACL, f"{LAST}.Action.Block.CustomResponse.ResponseHeaders", []),
)
def test_a_block_answers_with_a_problem_document_that_a_web_page_can_read(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        blocks = list(_blocks(acl))
        assert len(blocks) > len(HEADS)
        for block in blocks:
            response = block["CustomResponse"]
            body = acl["CustomResponseBodies"].get(response.get("CustomResponseBodyKey"), {})
            assert body.get("ContentType") == "APPLICATION_JSON"
            assert is_problem(body["Content"], response["ResponseCode"])
            headers = {h["Name"]: h["Value"] for h in response["ResponseHeaders"]}
            assert headers.get("Access-Control-Allow-Origin") == "*"
            assert headers.get("Cache-Control") == "no-store"
            assert "content-type" not in {name.lower() for name in headers}  # which AWS WAF refuses


FLOOD = "Rules.0.Statement.RateBasedStatement"


@promise(
    more=setting(ACL, f"{FLOOD}.Limit", 2_000_000),
    of_the_caller=setting(ACL, f"{FLOOD}.AggregateKeyType", "FORWARDED_IP"),
    in_ten_minutes=setting(ACL, f"{FLOOD}.EvaluationWindowSec", 600),
    some_paths=setting(ACL, f"{FLOOD}.ScopeDownStatement", {"LabelMatchStatement": {}}),
    counts_only=setting(ACL, "Rules.0.Action", {"Count": {}}),
    last=setting(ACL, "Rules.0.Priority", 99),
    no_retry_after=setting(ACL, "Rules.0.Action.Block.CustomResponse.ResponseHeaders", []),
)
def test_a_flood_from_one_address_is_told_to_come_back_in_a_minute(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        first = min(acl["Rules"], key=lambda rule: rule["Priority"])
        assert first["Statement"] == {
            "RateBasedStatement": {
                "AggregateKeyType": "IP",
                "EvaluationWindowSec": 60,
                "Limit": stacks.settings.web.requests_per_minute_per_address,
            }
        }
        assert "Block" in first["Action"]
        response = first["Action"]["Block"]["CustomResponse"]
        assert response["ResponseCode"] == 429
        assert {"Name": "Retry-After", "Value": "60"} in response["ResponseHeaders"]


def _capacity(statement: Json) -> int:
    """Of what Sanctum uses (AWS WAF guide, the page of each statement)."""
    ((kind, what),) = statement.items()
    match kind:
        case "ManagedRuleGroupStatement":
            return WIDTH[what["Name"]]
        case "AndStatement" | "OrStatement":
            return sum(map(_capacity, what["Statements"]))
        case "NotStatement":
            return _capacity(what["Statement"])
        case "LabelMatchStatement":
            return 1
        case "RegexMatchStatement":
            return 3 + 10 * len(what["TextTransformations"])
        case "RateBasedStatement":
            return 2
        case _:
            raise AssertionError(f"unknown to this test: {kind}")


def _twice(stacks: Stacks) -> None:
    for acl in stacks.properties(ACL):
        acl["Rules"] += [acl["Rules"][2]]


@promise(common_rules_twice=_twice)
def test_the_firewall_stays_within_the_capacity_that_its_price_includes(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        assert sum(_capacity(rule["Statement"]) for rule in acl["Rules"]) <= 1500
        patterns = [s for s in strings(acl["Rules"]) if s.startswith("^/")]
        assert max(map(len, patterns)) <= 200  # AWS WAF quotas


def _any_time(stacks: Stacks) -> None:
    for _, resource in stacks.resources(LISTENER):
        del resource["DependsOn"]


@promise(
    nowhere=without(ASSOCIATION),
    elsewhere=setting(ASSOCIATION, "ResourceArn", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/x"),
    another=setting(ASSOCIATION, "WebACLArn", "arn:aws:wafv2:us-east-1:1:regional/webacl/x"),
    afterwards=_any_time,
    global_scope=setting(ACL, "Scope", "CLOUDFRONT"),
)
def test_nothing_can_be_reached_before_the_firewall_stands_there(stacks: Stacks) -> None:
    compute = stacks["Compute"]
    associations = compute.resources(ASSOCIATION)
    assert len(associations) == len(_acls(stacks))
    for name, association in associations.items():
        linked = [reference(association["Properties"][end]) for end in ("ResourceArn", "WebACLArn")]
        types = [compute.resources().get(end, {}).get("Type") for end in linked]
        assert types == ["AWS::ElasticLoadBalancingV2::LoadBalancer", ACL]
        assert [acl["Scope"] for acl in _acls(stacks)] == ["REGIONAL"]
        for listener in compute.resources(LISTENER).values():
            assert name in listener.get("DependsOn", [])


@promise(open=set_attribute(BALANCER, "LoadBalancerAttributes", "waf.fail_open.enabled", "true"))
def test_nothing_passes_a_firewall_that_does_not_answer(stacks: Stacks) -> None:
    (balancer,) = stacks.properties(BALANCER)
    assert attributes_of(balancer, "LoadBalancerAttributes")["waf.fail_open.enabled"] == "false"


def _group_name(stacks: Stacks) -> str:
    (destination,) = stacks["Compute"].only(LOGGING)["LogDestinationConfigs"]
    start, name, *rest = destination["Fn::Join"][1]
    account = stacks.settings.account
    assert (start, rest) == (f"arn:aws:logs:{account.region}:{account.id}:log-group:", [])  # AWS WAF refuses a ":*"
    return str(stacks["Compute"].resources()[reference(name)]["Properties"]["LogGroupName"])


def _with_star(stacks: Stacks) -> None:
    for logging in stacks.properties(LOGGING):
        logging["LogDestinationConfigs"][0]["Fn::Join"][1].append(":*")


def _rename(stacks: Stacks) -> None:
    for group in stacks.properties("AWS::Logs::LogGroup"):
        group["LogGroupName"] = str(group["LogGroupName"]).replace("aws-waf-logs-", "/sanctum/")


def _other_key(stacks: Stacks) -> None:
    for key in stacks["Network"].properties("AWS::KMS::Key"):
        for statement in key["KeyPolicy"]["Statement"]:
            for groups in statement.get("Condition", {}).get("ArnLike", {}).values():
                groups[:] = [group for group in groups if "aws-waf-logs-" not in group]


def _too_early(stacks: Stacks) -> None:
    for _, resource in stacks.resources(LOGGING):
        del resource["DependsOn"]


@promise(
    arn_of_the_group=_with_star,
    another_name=_rename,
    key_of_another=_other_key,
    no_key=without("AWS::Logs::LogGroup", "KmsKeyId"),
    may_not_write=without("AWS::Logs::ResourcePolicy"),
    too_early=_too_early,
    no_log=without(LOGGING),
)
def test_what_the_firewall_blocks_arrives_in_an_encrypted_log(stacks: Stacks) -> None:
    compute = stacks["Compute"]
    loggings = compute.resources(LOGGING)
    assert len(loggings) == len(_acls(stacks))
    for logging in loggings.values():
        name = _group_name(stacks)
        assert name == f"aws-waf-logs-{stacks.settings.resource_name()}"
        (group,) = [g for g in compute.properties("AWS::Logs::LogGroup") if g["LogGroupName"] == name]
        assert "Logs" in reference(group.get("KmsKeyId", ""))
        account = stacks.settings.account
        arn = f"arn:aws:logs:{account.region}:{account.id}:log-group:{name}"
        conditions = [
            statement.get("Condition", {}).get("ArnLike", {}).get("kms:EncryptionContext:aws:logs:arn", [])
            for key in stacks["Network"].properties("AWS::KMS::Key")
            for statement in key["KeyPolicy"]["Statement"]
        ]
        assert any(fnmatchcase(arn, pattern) for patterns in conditions for pattern in patterns)
        policies = compute.resources("AWS::Logs::ResourcePolicy")
        before = [policies[d]["Properties"]["PolicyDocument"] for d in logging.get("DependsOn", []) if d in policies]
        assert [text for text in strings(before) if "delivery.logs.amazonaws.com" in text and account.id in text]


REDACTED = "RedactedFields"


@promise(
    tokens=setting(LOGGING, f"{REDACTED}.0.SingleHeader.Name", "user-agent"),
    queries=setting(LOGGING, f"{REDACTED}.2", {"Method": {}}),
    everything=without(LOGGING, REDACTED),
    words=without(ACL, "DataProtectionConfig"),
    words_in_details=setting(ACL, "DataProtectionConfig.DataProtections.0.ExcludeRuleMatchDetails", value=True),
    what_only_counts=setting(LOGGING, "LoggingFilter.DefaultBehavior", "KEEP"),
    samples=setting(ACL, "VisibilityConfig.SampledRequestsEnabled", value=True),
    samples_of_a_rule=setting(ACL, f"{LAST}.VisibilityConfig.SampledRequestsEnabled", value=True),
)
def test_no_token_and_no_word_of_anybody_is_in_what_the_firewall_writes_down(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        logging = stacks["Compute"].only(LOGGING)
        redacted = logging.get(REDACTED, [])
        assert {f["SingleHeader"]["Name"] for f in redacted if "SingleHeader" in f} >= {"authorization", "cookie"}
        assert {"QueryString": {}} in redacted
        protections = acl.get("DataProtectionConfig", {}).get("DataProtections", [])
        assert {"Action": "SUBSTITUTION", "Field": {"FieldType": "BODY"}} in protections
        assert logging["LoggingFilter"] == {
            "DefaultBehavior": "DROP",
            "Filters": [
                {
                    "Behavior": "KEEP",
                    "Requirement": "MEETS_ANY",
                    "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                }
            ],
        }
        for shown in (acl, *acl["Rules"]):
            assert shown["VisibilityConfig"]["SampledRequestsEnabled"] is False


@promise(
    silent=without("AWS::CloudWatch::Alarm", "AlarmActions"),
    never=setting("AWS::CloudWatch::Alarm", "Threshold", 1_000_000_000),
    of_another=setting(ACL, "VisibilityConfig.MetricName", "another"),
    uncounted=setting(ACL, "VisibilityConfig.CloudWatchMetricsEnabled", value=False),
)
def test_people_are_told_when_much_is_blocked(stacks: Stacks) -> None:
    for acl in _acls(stacks):
        (alarm,) = [p for p in stacks.properties("AWS::CloudWatch::Alarm") if p.get("MetricName") == "BlockedRequests"]
        dimensions = {d["Name"]: d["Value"] for d in alarm["Dimensions"]}
        metrics = acl["VisibilityConfig"]
        assert metrics["CloudWatchMetricsEnabled"]
        assert dimensions == {"WebACL": metrics["MetricName"], "Region": stacks.settings.account.region, "Rule": "ALL"}
        assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/WAFV2", "Sum")
        assert alarm["Threshold"] <= stacks.settings.web.requests_per_minute_per_address
        assert alarm.get("AlarmActions")


@pytest.mark.parametrize("path", WORDS)
def test_the_routes_of_peoples_words_are_those_that_the_service_names(path: str) -> None:
    templates = [re.sub(r"\{\w+\}", "[^/]+", template) for template in read_services()["backend"].edge.words]
    assert [t for t in templates if re.fullmatch(t, path)]
    assert len(templates) == len(WORDS)
