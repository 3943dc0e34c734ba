"""Telling people when somebody takes away what they would find out by, or looks for a way out of the network."""

import functools
from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

_detail = functools.cache(events.EventField.from_path)


class Tampering(Construct):
    """EventBridge rules that tell ``topic`` within minutes, with who, what, from where and when.

    * A trail of the account is stopped, deleted or changed.
    * A key of the account is disabled or going to be deleted, and with it what it encrypts: there are seven days at
      least to cancel that. Or its policy is changed, by which somebody may let themselves in, as may a release.
    * The trail's bucket is changed, or that of the exports of keys: who may use it, how long it keeps them, whether it
      is copied.
    * DNS Firewall is changed: its rules, its names, or that lookups fail when it does.
    * DNS Firewall refused a name: either something in a VPC wants to tell strangers something, or a release needs a
      name that the network does not let through.

    EventBridge has calls only where a trail with management events is on, of the account or of its organisation
    (Amazon EventBridge guide, "AWS service events delivered via AWS CloudTrail"), and only those in its own region.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        exports: str,
        trail_bucket: s3.IBucket | None = None,
    ) -> None:
        """``exports``: the name of the bucket of the exports of keys."""
        super().__init__(scope, construct_id)
        self._topic = topic
        self._on_call(
            "Trail",
            "cloudtrail",
            eventName=["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"],
            subject=_detail("$.detail.requestParameters.name"),
        )
        self._on_call(
            "Keys",
            "kms",
            eventName=["DisableKey", "DisableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion"],
            subject=_detail("$.detail.requestParameters.keyId"),
        )
        self._on_call(
            "KeyExports",
            "s3",
            eventName=[
                "DeleteBucketPolicy",
                "DeleteBucketReplication",
                "PutBucketLifecycle",
                "PutBucketPolicy",
                "PutBucketReplication",
                "PutBucketVersioning",
            ],
            requestParameters={"bucketName": [exports]},
            subject=exports,
        )
        if trail_bucket:
            self._on_call(
                "TrailBucket",
                "s3",
                readOnly=[False],
                requestParameters={"bucketName": [trail_bucket.bucket_name]},
                subject=trail_bucket.bucket_name,
            )
        self._on_call(
            "Firewall",
            "route53resolver",
            eventName=[
                "DeleteFirewallRuleGroup",
                "DisassociateFirewallRuleGroup",
                "UpdateFirewallConfig",
                "UpdateFirewallDomains",
                "UpdateFirewallRule",
            ],
            subject="DNS Firewall",
        )
        self._rule(
            "Names",
            events.EventPattern(source=["aws.route53resolver"], detail_type=["DNS Firewall Block"]),
            f"DNS Firewall refused the name {_detail('$.detail.query-name')} ({_detail('$.detail.query-type')}) in "
            f"account {events.EventField.account}, {events.EventField.region}, last at "
            f"{_detail('$.detail.last-observed-at')}",
        )

    def _on_call(
        self, rule_id: str, service: str, *, subject: str, **detail: Sequence[object] | Mapping[str, object]
    ) -> None:
        self._rule(
            rule_id,
            events.EventPattern(
                source=[f"aws.{service}"],
                detail_type=["AWS API Call via CloudTrail"],
                detail={"eventSource": [f"{service}.amazonaws.com"], **detail},
            ),
            f"{_detail('$.detail.eventName')} of {subject} by {_detail('$.detail.userIdentity.arn')} from "
            f"{_detail('$.detail.sourceIPAddress')} in account {events.EventField.account}, "
            f"{events.EventField.region}, at {events.EventField.time}. Error, if it was refused: "
            f"{_detail('$.detail.errorCode')}",
        )

    def _rule(self, rule_id: str, pattern: events.EventPattern, text: str) -> None:
        target = targets.SnsTopic(self._topic, message=events.RuleTargetInput.from_text(text))
        events.Rule(self, rule_id, event_pattern=pattern, targets=[cast("events.IRuleTarget", target)])
