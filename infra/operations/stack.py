"""The Operations stack."""

import aws_cdk as cdk
from constructs import Construct

from infra.operations.access_logs import AccessLogs
from infra.operations.alarm_topic import AlarmTopic
from infra.settings import Environment


class OperationsStack(cdk.Stack):
    """Comes before the stacks that it watches over: they tell its topic what is wrong with them."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        self.alarms = AlarmTopic(self, "Alarms", environment=environment)
        self.access_logs = AccessLogs(self, "AccessLogs", retention_days=environment.logs.retention_days)
