"""The Operations stack."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import sealing
from infra.encryption import customer_key
from infra.operations.access_logs import AccessLogs
from infra.operations.alarm_topic import AlarmTopic
from infra.operations.budget import MonthlyBudget
from infra.operations.tampering import Tampering
from infra.operations.trail import Trail
from infra.settings import Environment


class OperationsStack(cdk.Stack):
    """Comes before the stacks that it watches over: they tell its topic what is wrong with them."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        self.alarms = AlarmTopic(self, "Alarms", environment=environment)
        self.access_logs = AccessLogs(self, "AccessLogs", retention_days=environment.logs.retention_days)
        exports = [sealing.exports_bucket(environment, region) for region in sealing.regions(environment)]
        trail = None
        if environment.account.trail:
            key = customer_key(self, "TrailKey", environment=environment, purpose="trail", through=["s3"])
            trail = Trail(self, "Trail", name=environment.resource_name("trail"), key=key, watched=exports)
        Tampering(
            self,
            "Tampering",
            topic=cast("sns.ITopic", self.alarms),
            exports=exports[0],
            trail_bucket=cast("s3.IBucket", trail.bucket) if trail else None,
        )
        MonthlyBudget(self, "MonthlyBudget", environment=environment)
