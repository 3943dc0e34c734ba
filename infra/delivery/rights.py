"""Takes away what the library gives to the roles of a pipeline and what this one does not need."""

from collections.abc import Sequence
from typing import Any, Final, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

Statement = dict[str, Any]

DECRYPTING: Final = ("kms:Decrypt", "kms:DescribeKey")


def is_spare(statement: Statement) -> bool:
    """Whether it is for test reports, for log groups that CodeBuild makes itself, or for every build there is.

    Nothing is reported, all logs go to a group that exists, and the pipeline starts its builds under another role.
    """
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    reports, groups = "codebuild:CreateReportGroup", "logs:CreateLogGroup"
    return (
        reports in actions or groups in actions or ("codebuild:StartBuild" in actions and statement["Resource"] == "*")
    )


def narrow_keys(role: iam.Role, *, regions: Sequence[str], alias: str) -> None:
    """Instead of every key there is, let ``role`` use the one that is named ``alias`` in each of ``regions``.

    The library cannot name a key in another region.
    """
    policy, document = _said_of(role)
    for statement in list(document["Statement"]):
        resources = statement["Resource"]
        if not isinstance(resources, list) or "*" not in resources:
            continue
        own = [resource for resource in cast("list[object]", resources) if resource != "*"]
        elsewhere = [f"arn:aws:kms:{region}:{cdk.Stack.of(role).account}:key/*" for region in regions]
        named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{alias}"}}
        document["Statement"].append(statement | {"Resource": elsewhere, "Condition": named})
        statement["Resource"] = own
    policy.policy_document = document


def narrow_writing(roles: Sequence[IConstruct], *, below: str) -> None:
    """Let ``roles`` write to a bucket only ``below`` a prefix; they read what they read."""
    for role in roles:
        policy, document = _said_of(role)
        document["Statement"] = [part for s in document["Statement"] for part in _writing_below(s, below)]
        policy.policy_document = document


def drop_spare_rights(roles: Sequence[IConstruct]) -> None:
    """Remove spare statements from the policies of ``roles``, and from who writes no artifacts what encrypts them.

    What is added to a role later is lost, too.
    """
    for role in roles:
        policy, document = _said_of(role)
        statements = [s for s in document["Statement"] if not is_spare(s)]
        writes = any("s3:PutObject" in s["Action"] for s in statements)
        document["Statement"] = statements if writes else [_only_decrypting(s) for s in statements]
        policy.policy_document = document


def _said_of(role: IConstruct) -> tuple[iam.CfnPolicy, dict[str, Any]]:
    """The policy of ``role``, and what it says by now."""
    policy = cast("iam.CfnPolicy", role.node.find_child("DefaultPolicy").node.default_child)
    return policy, cdk.Stack.of(policy).resolve(policy.policy_document)


def _only_decrypting(statement: Statement) -> Statement:
    if "kms:Encrypt" not in statement["Action"]:
        return statement
    return statement | {"Action": [action for action in statement["Action"] if action in DECRYPTING]}


def _writing_below(statement: Statement, below: str) -> list[Statement]:
    """``statement``, with what writes to a bucket in one of its own."""
    actions: list[str] = statement["Action"]
    writing = [a for a in actions if a.startswith(("s3:Abort", "s3:Delete", "s3:Put"))]
    if not writing:
        return [statement]
    reading = [action for action in actions if action not in writing]
    joined = [resource["Fn::Join"] for resource in statement["Resource"] if "Fn::Join" in resource]
    objects = [{"Fn::Join": [between, [*parts[:-1], f"/{below}{parts[-1]}"]]} for between, parts in joined]
    return [statement | {"Action": reading}, statement | {"Action": writing, "Resource": objects}]
