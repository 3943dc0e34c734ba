"""Customer-managed keys, and log groups encrypted with one."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import principals
from infra.settings import Environment


def removal_policy(environment: Environment) -> RemovalPolicy:
    """What becomes of something that holds data when its stack no longer has it."""
    return RemovalPolicy.RETAIN if environment.protected else RemovalPolicy.DESTROY


ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:Delete*",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:RetireGrant",
    "kms:Revoke*",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
)
"""What keeps a key, and reads nothing that is encrypted with it. Without it a key could never be changed again."""
USE = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


def customer_key(
    scope: Construct,
    construct_id: str,
    *,
    environment: Environment,
    purpose: str,
    through: Sequence[str] | None = None,
) -> kms.Key:
    """A key for one purpose, replaced by KMS each year.

    ``through``: the services of AWS (``rds``) by which alone people and roles of the account may use it, as far as
    their own policies let them; nobody can then decrypt with it directly, whatever those say (AWS KMS guide,
    "kms:ViaService"); one of another region has it in its name (``rds.us-west-2``). ``None``: in every way.
    """
    return kms.Key(
        scope,
        construct_id,
        alias=environment.resource_name(purpose),
        description=f"Sanctum {environment.name}: {purpose}",
        enable_key_rotation=True,
        policy=None if through is None else _only_through(through, stack=Stack.of(scope)),
        removal_policy=removal_policy(environment),
    )


def _only_through(services: Sequence[str], *, stack: Stack) -> iam.PolicyDocument:
    account = [principals.account(stack.account)]
    policy = iam.PolicyDocument(
        statements=[iam.PolicyStatement(principals=account, actions=list(ADMINISTER), resources=["*"])]
    )
    if services:
        local = [service if "." in service else f"{service}.{stack.region}" for service in services]
        via = {"kms:ViaService": [f"{service}.amazonaws.com" for service in local]}
        policy.add_statements(
            iam.PolicyStatement(
                principals=account, actions=list(USE), resources=["*"], conditions={"StringEquals": via}
            )
        )
    return policy


def logs_key(scope: Construct, construct_id: str, *, environment: Environment) -> kms.Key:
    """The key of the environment's log groups, which CloudWatch Logs may use for them and no others.

    The groups are named as text: a reference to one that is encrypted with this key would be a circle.
    """
    key = customer_key(scope, construct_id, environment=environment, purpose="logs", through=())
    stack = Stack.of(scope)
    own = environment.resource_name()
    groups = (f"/sanctum/{environment.name}/*", f"/aws/*/{own}-*", f"/aws/*/{own}/*", f"aws-waf-logs-{own}")
    arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[principals.service(f"logs.{stack.region}.amazonaws.com")],
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": [arn + group for group in groups]}},
        )
    )
    return key


class EncryptedLogGroup(logs.LogGroup):
    """A log group that is encrypted with the environment's own key and kept as long as its settings say."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.Key, name: str
    ) -> None:
        """``name`` is below ``/sanctum/<environment>/``, or whole where a service of AWS decides it."""
        super().__init__(
            scope,
            construct_id,
            log_group_name=name if name.startswith(("/", "aws-waf-logs-")) else f"/sanctum/{environment.name}/{name}",
            encryption_key=key,
            removal_policy=removal_policy(environment),
        )
        cast("logs.CfnLogGroup", self.node.default_child).retention_in_days = environment.logs.retention_days
