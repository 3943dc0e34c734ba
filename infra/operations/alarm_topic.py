"""Where every alarm goes: a topic that people get by e-mail."""

from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra import principals
from infra.encryption import customer_key
from infra.settings import Environment

SENDERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
"""Services of AWS that send to it. Each has to be allowed the key too, or what it sends never arrives and nobody is
told (Amazon SNS guide, "Key management")."""

UNCONDITIONAL = "events.amazonaws.com"
"""EventBridge does not say for which account or rule it sends: with a condition nothing of it arrives (the same page,
and Amazon EventBridge guide, "Troubleshooting")."""


class AlarmTopic(sns.Topic):
    """Encrypted with a key of its own, over TLS alone, sent to by services of AWS: those that can say so, for this
    account alone."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        key = customer_key(scope, f"{construct_id}Key", environment=environment, purpose="alarms", through=["sns"])
        name = environment.resource_name("alarms")
        super().__init__(
            scope,
            construct_id,
            topic_name=name,
            display_name=f"Sanctum {environment.name}",
            master_key=cast("kms.IKey", key),
            enforce_ssl=True,
        )
        account = environment.account.id
        for sender in SENDERS:
            principal = [principals.service(sender)]
            here = None if sender == UNCONDITIONAL else {"StringEquals": {"aws:SourceAccount": account}}
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=principal, actions=["sns:Publish"], resources=[self.topic_arn], conditions=here
                )
            )
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=principal,
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    resources=["*"],
                    conditions=here,
                )
            )
        for address in environment.operations.emails:
            self.add_subscription(cast("sns.ITopicSubscription", subscriptions.EmailSubscription(address)))
