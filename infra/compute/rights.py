"""Statements that are written on a role itself, each on resources named one by one.

On the key or secret they would tie the stack that has it to the stack that has the role, which needs the former.
"""

from collections.abc import Callable, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

Grant = Callable[[iam.IRole], None]


def allow(
    role: iam.IRole,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Allow ``actions`` on ``resources``."""
    iam.Grant.add_to_principal(
        grantee=role, actions=list(actions), resource_arns=list(resources), conditions=conditions
    )


def use_key_of_secrets(role: iam.IRole, key_arn: str, *actions: str) -> None:
    """Allow ``actions`` on a key through Secrets Manager and in no other way.

    The library says nothing of the key of a secret that it knows by its ARN, and the task then does not start:
    ``ResourceInitializationError … Access to KMS is not allowed``.
    """
    via = {"kms:ViaService": f"secretsmanager.{cdk.Stack.of(role).region}.amazonaws.com"}
    allow(role, actions, [key_arn], {"StringEquals": via})


def run_task(role: iam.IRole, task_definition: ecs.FargateTaskDefinition, *, cluster_arn: str) -> None:
    """Allow to run every revision of a task in one cluster, with the task's own roles and no others.

    Every revision, because a deployment that is rolled back runs an earlier one.
    """
    family = cdk.Stack.of(task_definition).format_arn(
        service="ecs", resource="task-definition", resource_name=f"{task_definition.family}:*"
    )
    allow(role, ["ecs:RunTask"], [family], {"ArnEquals": {"ecs:cluster": cluster_arn}})
    roles = [task_definition.task_role.role_arn, task_definition.obtain_execution_role().role_arn]
    allow(role, ["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}})
