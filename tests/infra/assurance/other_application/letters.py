"""What people write to the shop: one key for letters and for notes, told apart by encryption context, and secrets that
are made while the shop runs."""

from typing import Any

from tests.infra.assurance.other_application.foundation import sub
from tests.infra.assurance.other_application.shop import allow, role

PURPOSE = "kms:EncryptionContext:purpose"
USED_BY = {"letters": "LettersRole", "notes": "NotesRole"}
EPOCHS = sub("arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:bookshop/epochs/*")


def arn(name: str) -> dict[str, Any]:
    """Of a resource of this template."""
    return {"Fn::GetAtt": [name, "Arn"]}


def letters() -> dict[str, Any]:
    """The template."""
    secrets = [f"secretsmanager:{verb}" for verb in ("CreateSecret", "GetSecretValue", "DeleteSecret")]
    return {
        "Resources": {
            "LettersKey": _key(),
            "LettersRole": role("lambda.amazonaws.com", allow(["secretsmanager:GetSecretValue"], EPOCHS)),
            "NotesRole": role("lambda.amazonaws.com", allow(["kms:DescribeKey"], "*")),
            "RollRole": role(
                "lambda.amazonaws.com", allow([*secrets, "secretsmanager:ReplicateSecretToRegions"], EPOCHS)
            ),
        }
    }


def _key() -> dict[str, Any]:
    """Both roles may use it for both purposes, as far as the first statement goes; denials leave one to each."""
    root = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
    administer = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:PutKeyPolicy", "kms:EnableKeyRotation"]
    use = {
        "Sid": "Use",
        **allow(["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"], "*"),
        "Principal": {"AWS": [arn(name) for name in USED_BY.values()]},
        "Condition": {"StringEquals": {PURPOSE: list(USED_BY)}},
    }
    statements = [{"Sid": "Administer", **allow(administer, "*"), "Principal": root}, use, *map(_kept, USED_BY)]
    return {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "EnableKeyRotation": True,
            "KeyPolicy": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def _kept(purpose: str) -> dict[str, Any]:
    return {
        "Sid": purpose,
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {PURPOSE: purpose},
            "ArnNotEquals": {"aws:PrincipalArn": arn(USED_BY[purpose])},
        },
    }
