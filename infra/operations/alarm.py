"""An alarm that people get, and that a deployment may be rolled back by."""

from typing import cast

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


class Alarm(cloudwatch.Alarm):
    """Goes off when ``metric`` is at ``threshold`` or above in ``minutes`` of the last ``of`` minutes.

    Nothing measured is nothing wrong: nobody asks at night, and an alarm that is off its guard when a deployment
    begins is ignored for all of it (Amazon ECS guide, "How CloudWatch alarms detect deployment failures").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        why: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        minutes: int,
        of: int | None = None,
        topic: sns.ITopic,
    ) -> None:
        """``metric`` has a period of a minute; ``of`` is ``minutes`` where left out; ``why`` is what people read."""
        super().__init__(
            scope,
            construct_id,
            alarm_name=name,
            alarm_description=why,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=of or minutes,
            datapoints_to_alarm=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.add_alarm_action(cast("cloudwatch.IAlarmAction", actions.SnsAction(topic)))
