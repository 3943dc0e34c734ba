"""Whom policies of resources name from other accounts.

`opens`, `reads` and the like tell who gets all that it takes: a secret's value needs its key, too. A policy that names
somebody of another account is told by itself as well, since the rest may be one line away, or in that account.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, cast

from infra.assurance.access.reading import reading, texts, within
from infra.assurance.facts import Fact, Relation, distinct
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

SHARED: Final = "shared with"
# Trust policies are facts of `assumes`, and policies of endpoints share nothing.
_OTHER: Final = re.compile(r"AWS::IAM::.*|AWS::EC2::VPCEndpoint")
# Without a document: AWS::Lambda::Permission, AWS::RAM::ResourceShare, AWS::EC2::VPCEndpointServicePermissions, …
_PLAIN: Final = ("Principal", "Principals", "AllowedPrincipals")
_ACCOUNT: Final = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?([\w-]+)(?::(.+))?")
_ORGANIZATION: Final = re.compile(r"arn:[\w-]+:organizations::.+")
_ANYONE: Final = "anyone"
# Conditions by which a policy for everybody means few: who asks, for whom, or from where. An address is anybody's.
_NARROWING: Final = re.compile(
    r"aws:(principal(account|arn|org|tag|isaws|service)|source(account|arn|owner|org|vpc)|userid|username)"
    r"|kms:calleraccount|s3:dataaccesspoint"
)
# Operators that hold for all but a few, or for who lacks the key.
_LEAVING_OPEN: Final = re.compile(r"null|.*not.*|.*ifexists|forallvalues:.*")


def shared(model: Model) -> list[Fact]:
    """A fact for each account, role or user of another account that a resource's own policy lets in, or for anyone."""
    found: list[Fact] = []
    for resource, text in texts(model).items():
        if "Principal" not in text or _OTHER.fullmatch(resource.type):
            continue
        with reading(model, resource):
            for principal in dict.fromkeys(_principals(resource)):
                if name := _foreign(principal, resource):
                    for target in _targets(model, resource):
                        values = (target.name, SHARED, name)
                        step = f"the policy {resource.name} lets in {name}"
                        found.append(Fact(Relation.POSTURE, values, (resource, target), (step,)))
    return distinct(found)


def _principals(resource: Resource) -> Iterator[str]:
    for key in _PLAIN:
        yield from _texts(resource.value(key))
    for statement in _statements(resource.properties):
        if statement.get("Effect") == "Allow":
            named = statement.get("Principal")
            everybody = named == "*" or "NotPrincipal" in statement or "*" in _texts(within(named, "AWS"))
            if everybody and not _is_narrowed(statement):
                yield _ANYONE
            elif named != "*":
                yield from _texts(within(named, "AWS"))


def _is_narrowed(statement: dict[str, Any]) -> bool:
    """Whether a condition of a statement for everybody picks some of them."""
    conditions = cast("dict[str, dict[str, Any]]", statement.get("Condition") or {})
    picking = (keys for operator, keys in conditions.items() if not _LEAVING_OPEN.fullmatch(operator.lower()))
    return any(_NARROWING.match(key.lower()) for keys in picking for key in keys)


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        if table.get("Effect") in ("Allow", "Deny"):
            yield table
        for inner in table.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _statements(inner)
    elif isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            yield from _statements(json.loads(value))


def _texts(value: Any) -> list[str]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _foreign(principal: str, resource: Resource) -> str | None:
    """What facts call it, if it belongs to another account; None for services, one's own, and a few of everybody."""
    if principal == _ANYONE or _ORGANIZATION.fullmatch(principal):
        return principal
    match = _ACCOUNT.fullmatch(principal)
    if match is None or is_unknown(principal) or "." in principal or principal == "*":
        return None
    account, rest = match.groups()
    if account == resource.stack.account:
        return None
    return f"account {account}" if rest in {None, "root"} else principal


def _targets(model: Model, resource: Resource) -> list[Resource]:
    """What a policy that is a resource of its own is attached to; else the resource itself."""
    if not resource.type.endswith(("Policy", "Permission", "Permissions")):
        return [resource]
    named = [text for value in resource.properties.values() for text in _texts(value)]
    found = [target for text in named if (target := model.find(text)) and target is not resource]
    return list(dict.fromkeys(found)) or [resource]
