"""Tasks that end although nobody wanted them to: people read why, and it is counted.

Of the events of ECS itself, which there are whether or not the environment pays for Container Insights.
"""

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

_NOT_STARTED = {"stopCode": ["TaskFailedToStart"]}
_SERVICE = [_NOT_STARTED, {"stopCode": ["EssentialContainerExited"]}, {"stoppedReason": [{"prefix": "Task failed "}]}]
"""A service's process never ends by itself; *Task failed … health checks* is what ECS says when it replaces one."""
_ONE_OFF = [_NOT_STARTED, {"containers": {"exitCode": [{"anything-but": [0]}]}}]


class StoppedTasks(Construct):
    """Sends each task of ``family`` that failed to ``topic``.

    A task that ECS stops to replace or to save it is none of them. See the Amazon ECS guide, "Task state change
    events" and "Stopped tasks error messages".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        cluster_arn: str,
        family: str,
        one_off: bool,
        topic: sns.ITopic,
    ) -> None:
        """``name`` is the rule's; ``one_off``: its tasks end by themselves, with exit code 0 when all is well."""
        super().__init__(scope, construct_id)
        definition = cdk.Stack.of(self).format_arn(service="ecs", resource="task-definition", resource_name=family)
        detail = {
            "clusterArn": [cluster_arn],
            "taskDefinitionArn": [{"prefix": f"{definition}:"}],
            "lastStatus": ["STOPPED"],
            "$or": _ONE_OFF if one_off else _SERVICE,
        }
        text = f"A task of {family} failed: <why> (<task>). The log of the service has more."
        # The plain resource: the library's own would let all of EventBridge send to the topic, which lets us already.
        events.CfnRule(
            self,
            "Rule",
            name=name,
            event_pattern={"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail},
            targets=[
                events.CfnRule.TargetProperty(
                    id="people",
                    arn=topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"why": "$.detail.stoppedReason", "task": "$.detail.taskArn"},
                        input_template=json.dumps(text),
                    ),
                )
            ],
        )
        self.metric = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="Invocations",
            dimensions_map={"RuleName": name},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )
        """How many they are, a minute."""
