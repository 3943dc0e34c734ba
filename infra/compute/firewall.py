"""AWS WAF before the load balancer.

AWS's own rules, and a limit for each address. What people write is none of a firewall's business: a message may be
about SQL, and a good password may look like it. So on the routes that take people's words the rules that read bodies
only count; there the services themselves bound what they take, and treat none of it as code. Everywhere else these
rules block.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra import principals
from infra.compute.managed_rules import MANAGED_GROUPS, ManagedGroup
from infra.compute.problems import problem
from infra.operations.alarm import Alarm

LOG_GROUP_PREFIX = "aws-waf-logs-"
"""How the name of the log group has to begin (AWS WAF guide, "Log group naming")."""
WINDOW_SECONDS = 60
"""Over which the requests of an address are counted, and after which it may try again."""
BLOCKS_WORTH_A_LOOK = 200
"""A minute, in three of five: more than somebody who tries what is there and goes on."""

_FORBIDDEN, _TOO_MANY = "forbidden", "too-many"
_PROBLEMS = {
    _FORBIDDEN: (HTTPStatus.FORBIDDEN, "The request looks like an attack, and was not passed on."),
    _TOO_MANY: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests come from this address; Retry-After says when to go on.",
    ),
}
_ID = "[0-9A-Fa-f-]{36}"
_HEADERS = {
    "Cache-Control": "no-store",
    # Or a web page could not read why. The answer is the same for everybody, and no origin may send cookies.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
}

_Acl = waf.CfnWebACL


class Firewall(Construct):
    """A web ACL; ``guard`` puts it before a load balancer.

    1,189 capacity units with four routes of ``words``; from 1,500 on AWS takes more for it (AWS WAF guide, "Web ACL
    capacity units"). The log holds blocked requests alone: what passes is in the load balancer's, and what was only
    counted is people's own business.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        words: Sequence[str],
        requests_per_minute: int,
        log_group: logs.LogGroup,
        alarms: sns.ITopic,
    ) -> None:
        """Make the web ACL.

        Args:
            scope: Whose part it is.
            construct_id: Its name there.
            name: Of the web ACL and its metrics.
            words: Paths of routes that take what people wrote; ``{…}`` stands for an id.
            requests_per_minute: From one address; more is answered 429.
            log_group: For blocked requests; its name begins with ``LOG_GROUP_PREFIX``.
            alarms: Is told of many blocked requests.
        """
        super().__init__(scope, construct_id)
        rules: list[tuple[str, dict[str, Any]]] = [
            ("Flood", {"action": _block(_TOO_MANY), "statement": _flood(requests_per_minute)}),
            *((group.name, _managed(group)) for group in MANAGED_GROUPS),
            ("Bodies", {"action": _block(_FORBIDDEN), "statement": _suspicious_body_elsewhere_than(words)}),
        ]
        self._acl = _Acl(
            self,
            "WebAcl",
            name=name,
            scope="REGIONAL",
            default_action=_Acl.DefaultActionProperty(allow=_Acl.AllowActionProperty()),
            visibility_config=_metrics(name),
            custom_response_bodies={
                key: _Acl.CustomResponseBodyProperty(content_type="APPLICATION_JSON", content=problem(*what))
                for key, what in _PROBLEMS.items()
            },
            rules=[
                _Acl.RuleProperty(name=rule, priority=priority, visibility_config=_metrics(rule), **how)
                for priority, (rule, how) in enumerate(rules)
            ],
            # The log of a rule that matched a body quotes what it matched ("Data protection for Body").
            data_protection_config=_Acl.DataProtectionConfigProperty(
                data_protections=[
                    _Acl.DataProtectProperty(
                        action="SUBSTITUTION", field=_Acl.FieldToProtectProperty(field_type="BODY")
                    )
                ]
            ),
        )
        self._log_to(log_group)
        blocked = cloudwatch.Metric(
            namespace="AWS/WAFV2",
            metric_name="BlockedRequests",
            dimensions_map={"WebACL": name, "Region": cdk.Stack.of(self).region, "Rule": "ALL"},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )
        Alarm(
            self,
            "ManyBlocked",
            name=f"{name}-firewall-blocks",
            why="The firewall blocks many requests: an attack, or a rule that takes people for one. Its log has them.",
            metric=cast("cloudwatch.IMetric", blocked),
            threshold=BLOCKS_WORTH_A_LOOK,
            minutes=3,
            of=5,
            topic=alarms,
        )

    def guard(self, balancer: elb.IApplicationLoadBalancer) -> Construct:
        """Put it before ``balancer``; what is returned has to be there before the first listener."""
        return waf.CfnWebACLAssociation(
            self, "Association", resource_arn=balancer.load_balancer_arn, web_acl_arn=self._acl.attr_arn
        )

    def _log_to(self, group: logs.LogGroup) -> None:
        stack = cdk.Stack.of(self)
        # Without the ``:*`` at the end of the group's own ARN, which AWS WAF refuses.
        arn = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=group.log_group_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        # Written here, or AWS WAF would write one into a policy of the account that other logs share.
        policy = group.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principals.service("delivery.logs.amazonaws.com", account=stack.account)],
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{arn}:log-stream:*"],
                conditions={"ArnLike": {"aws:SourceArn": f"arn:aws:logs:{stack.region}:{stack.account}:*"}},
            )
        )
        logging = waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self._acl.attr_arn,
            log_destination_configs=[arn],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                    }
                ],
            },
            redacted_fields=[
                *({"singleHeader": {"Name": header}} for header in ("authorization", "cookie")),
                {"queryString": {}},
            ],
        )
        if policy.policy_dependable:
            logging.node.add_dependency(policy.policy_dependable)


def _metrics(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    """No samples: they show whole heads of requests to whoever may open the console."""
    return _Acl.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _block(key: str) -> waf.CfnWebACL.RuleActionProperty:
    headers = _HEADERS | ({"Retry-After": str(WINDOW_SECONDS)} if key == _TOO_MANY else {})
    response = _Acl.CustomResponseProperty(
        response_code=_PROBLEMS[key][0].value,
        custom_response_body_key=key,
        response_headers=[_Acl.CustomHTTPHeaderProperty(name=n, value=v) for n, v in headers.items()],
    )
    return _Acl.RuleActionProperty(block=_Acl.BlockActionProperty(custom_response=response))


def _flood(requests_per_minute: int) -> waf.CfnWebACL.StatementProperty:
    return _Acl.StatementProperty(
        rate_based_statement=_Acl.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests_per_minute, evaluation_window_sec=WINDOW_SECONDS
        )
    )


def _managed(group: ManagedGroup) -> dict[str, Any]:
    count = _Acl.RuleActionProperty(count=_Acl.CountActionProperty())
    overrides = [(rule, _block(_FORBIDDEN)) for rule in group.heads] + [(rule, count) for rule in group.bodies]
    return {
        "override_action": _Acl.OverrideActionProperty(none={}),
        "statement": _Acl.StatementProperty(
            managed_rule_group_statement=_Acl.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group.name,
                rule_action_overrides=[
                    _Acl.RuleActionOverrideProperty(name=rule, action_to_use=action) for rule, action in overrides
                ],
            )
        ),
    }


def _suspicious_body_elsewhere_than(words: Sequence[str]) -> waf.CfnWebACL.StatementProperty:
    suspicious = [
        _Acl.StatementProperty(label_match_statement=_Acl.LabelMatchStatementProperty(scope="LABEL", key=label))
        for group in MANAGED_GROUPS
        for label in group.body_labels()
    ]
    elsewhere = [
        _Acl.StatementProperty(not_statement=_Acl.NotStatementProperty(statement=_path(path))) for path in words
    ]
    body = _Acl.StatementProperty(or_statement=_Acl.OrStatementProperty(statements=suspicious))
    if not elsewhere:  # of fewer than two there is no "and"
        return body
    return _Acl.StatementProperty(and_statement=_Acl.AndStatementProperty(statements=[body, *elsewhere]))


def _path(template: str) -> waf.CfnWebACL.StatementProperty:
    pattern = _ID.join(map(re.escape, re.split(r"\{\w+\}", template)))
    return _Acl.StatementProperty(
        regex_match_statement=_Acl.RegexMatchStatementProperty(
            field_to_match=_Acl.FieldToMatchProperty(uri_path={}),
            regex_string=f"^{pattern}$",
            text_transformations=[_Acl.TextTransformationProperty(priority=0, type="NONE")],
        )
    )
