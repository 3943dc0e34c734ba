"""Who hears of what the pipeline does: one message for each thing that failed, and for each approval."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra import principals


class News(Construct):
    """A topic that people get by e-mail, encrypted with a key of its own.

    EventBridge has to be allowed the key too, or nobody is told. It does not say for which account it sends, so a
    condition on that would keep everything out (Amazon SNS guide, "Key management").
    """

    def __init__(self, scope: Construct, construct_id: str, *, emails: Sequence[str], key: kms.Key) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name="Sanctum pipeline",
            master_key=cast("kms.IKey", key),
            enforce_ssl=True,
        )
        sender = principals.service("events.amazonaws.com")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(principals=[sender], actions=["sns:Publish"], resources=[self.topic.topic_arn])
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(principals=[sender], actions=["kms:Decrypt", "kms:GenerateDataKey*"], resources=["*"])
        )
        for address in emails:
            self.topic.add_subscription(cast("sns.ITopicSubscription", subscriptions.EmailSubscription(address)))

    def of_failures(self, *, pipeline: str) -> None:
        """Tell which action of the pipeline of that name failed, and where to look."""
        events.Rule(
            self,
            "Failures",
            description="An action of the pipeline failed",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Action Execution State Change"],
                detail={"pipeline": [pipeline], "state": ["FAILED"]},
            ),
            targets=[cast("events.IRuleTarget", targets.SnsTopic(cast("sns.ITopic", self.topic), message=_message()))],
        )


def _message() -> events.RuleTargetInput:
    field = events.EventField.from_path
    return events.RuleTargetInput.from_text(
        f"{field('$.detail.pipeline')}: {field('$.detail.action')} of {field('$.detail.stage')} failed. "
        f"{field('$.detail.execution-result.external-execution-summary')} "
        f"{field('$.detail.execution-result.external-execution-url')} "
        f"The whole of it: https://{field('$.region')}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"
        f"{field('$.detail.pipeline')}/executions/{field('$.detail.execution-id')}/timeline"
    )
