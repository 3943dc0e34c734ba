"""Rights that reach further than any one thing: they must show even where nothing of their kind is in the templates.

A statement counts if it allows all actions of a service (or any that touches data, keys or rights) on all of an
account's resources of a kind. Who may give rights to somebody, on whatever resource, counts too:
<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage.html>. Boundaries are not taken off: the
statement is told as it is written, conditions and all.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from infra.assurance.access.attachments import ROLE, USER, Attachments
from infra.assurance.access.policies.document import Document, Statement
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.reading import reading
from infra.assurance.facts import Fact, Relation, distinct
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

UNLIMITED: Final = "unlimited rights"
GIVING: Final = "may give rights"
_SENSITIVE: Final = frozenset({
    "dynamodb", "es", "iam", "kms", "lakeformation", "organizations", "rds", "rds-data", "rds-db", "s3",
    "secretsmanager", "sso", "sts", "vpc-lattice-svcs",
})  # fmt: skip
_GIVE: Final = frozenset({
    "iam:addusertogroup", "iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:attachuserpolicy",
    "iam:createaccesskey", "iam:createloginprofile", "iam:createpolicyversion",
    "iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary", "iam:putgrouppolicy",
    "iam:putrolepermissionsboundary", "iam:putrolepolicy", "iam:putuserpermissionsboundary",
    "iam:putuserpolicy", "iam:setdefaultpolicyversion", "iam:updateassumerolepolicy", "iam:updateloginprofile",
})  # fmt: skip
# All resources, or all of a type: behind the account, nothing but the type's name and wildcards.
_ALL: Final = re.compile(r"((arn:[^:]*:[^:]*:[^:]*:[^:]*:)?|arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:[a-z-]+[:/])[*/:]+")
# What only tells names and settings.
_HARMLESS: Final = ("describe",)


def broad(model: Model) -> list[Fact]:
    """Statements that allow too much to say on what, by whoever they hold for."""
    attachments = Attachments.of_model(model)
    found: list[Fact] = []
    for holder in model.of_type(ROLE, USER):
        with reading(model, holder):
            for document in attachments.of(holder):
                found += _rows(holder.name, document, (holder,))
    for policy, document in attachments.held_by_nobody():
        found += _rows(f"holder of {policy.name}", document, (policy,))
    for arn, documents in attachments.outside.items():
        for document in documents:
            found += _rows(f"role {arn}", document, ())
    return distinct(found)


def _rows(name: str, document: Document, evidence: tuple[Resource, ...]) -> Iterator[Fact]:
    for statement in document.statements:
        if statement.allows:
            for quality, value in _said(statement):
                path = (f"{statement} allows {name} {value}",)
                yield Fact(Relation.POSTURE, (name, quality, value), evidence, path)


def _said(statement: Statement) -> Iterator[tuple[str, str]]:
    conditions = " and ".join(map(str, statement.conditions))
    suffix = f" if {conditions}" if conditions else ""
    for resource, is_all in _resources(statement):
        for action in statement.actions or ():
            if is_all and _is_much(action):
                yield UNLIMITED, f"{action} on {resource}{suffix}"
            elif _gives(action):
                yield GIVING, f"{action} on {resource}{suffix}"
        if statement.not_actions is not None:
            value = f"all but {', '.join(statement.not_actions)} on {resource}{suffix}"
            if is_all:
                yield UNLIMITED, value
            elif not all(any(matches(action, each) for action in statement.not_actions) for each in _GIVE):
                yield GIVING, value


def _resources(statement: Statement) -> Iterator[tuple[str, bool]]:
    if statement.not_resources is not None:
        yield f"all but {', '.join(statement.not_resources)}", True
    for resource in statement.resources or ():
        yield resource, _is_all(resource)


@cache
def _is_all(resource: str) -> bool:
    return _ALL.fullmatch(resource) is not None


@cache
def _gives(action: str) -> bool:
    return any(matches(action, each) for each in _GIVE)


def _is_much(action: str) -> bool:
    service, _, name = action.partition(":")
    return not name.strip("*") or (service in _SENSITIVE and not name.startswith(_HARMLESS))
