"""The role by which RDS writes what Enhanced Monitoring measures."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import principals

LOG_GROUP = "RDSOSMetrics"
"""Where RDS writes it, whatever the database (Amazon Aurora guide, "OS metrics in Enhanced Monitoring")."""


class MonitoringRole(iam.Role):
    """As AWS's own ``AmazonRDSEnhancedMonitoringRole``, for the one log group of this region and account."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            assumed_by=principals.service("monitoring.rds.amazonaws.com", account=stack.account),
            description="RDS writes figures of the operating system",
        )
        group = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{LOG_GROUP}"
        self.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogGroup", "logs:PutRetentionPolicy"], resources=[group])
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
                resources=[f"{group}:log-stream:*"],
            )
        )
