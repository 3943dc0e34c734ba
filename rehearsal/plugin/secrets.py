"""AWS Secrets Manager: what ``Ref`` of a secret is, and policies of secrets."""

import json
from typing import Any

from rehearsal.plugin import ministack
from rehearsal.plugin.client import client
from rehearsal.plugin.handlers import Json, Made, register, table
from rehearsal.plugin.journal import note

VALUES = {"SecretString", "GenerateSecretString"}
"""Without them a secret has no value yet, and not an empty one."""
KIND = "AWS::SecretsManager::Secret"


def install() -> None:
    """Make ``Ref`` the ARN, as on AWS, and a new secret empty, and the policies known."""
    register("AWS::SecretsManager::ResourcePolicy", _policy, _no_policy)
    handler = table()[KIND]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def created(*arguments: Any) -> Made:
        name, attributes = create(*arguments)
        if not arguments[1].keys() & VALUES:
            ministack.module("services.secretsmanager")._secrets[name]["Versions"].clear()
        return attributes["Arn"], attributes

    def updated(physical: str, *rest: Any, **named: Any) -> Made:
        _, attributes = update(_name(physical), *rest, **named)
        return attributes["Arn"], attributes

    def deleted(physical: str, given: Json) -> None:
        delete(_name(physical), given)

    handler.update(create=created, update=updated, delete=deleted)
    note("repaired", KIND)


def _name(arn: str) -> str:
    return arn.split(":secret:")[1][:-7]  # ends in a hyphen and six characters that AWS adds


def _policy(_: str, properties: Json, __: str) -> Made:
    secret = properties["SecretId"]
    client("secretsmanager").put_resource_policy(
        SecretId=secret, ResourcePolicy=json.dumps(properties["ResourcePolicy"])
    )
    return f"{secret}|policy", {"Id": secret}


def _no_policy(_: str, properties: Json) -> None:
    client("secretsmanager").delete_resource_policy(SecretId=properties["SecretId"])
