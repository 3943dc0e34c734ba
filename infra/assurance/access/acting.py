"""As which role everything acts, and what limits each role: a program that is given another's role has its rights.

Whatever property of whatever type holds the ARN of a role hands that role over, besides policies, which only name it.
"""

import re
from collections.abc import Iterator
from typing import Final

from infra.assurance.access.attachments import MANAGED, ROLE, USER
from infra.assurance.access.reading import listed, reading, texts
from infra.assurance.facts import Fact, Relation, distinct
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

ACTS_AS: Final = "role"
STARTED_BY: Final = "execution role"
"""With it, ECS pulls images, opens secrets and writes logs before and beside the containers."""
LIMITED_BY: Final = "limited by"
_PROFILE: Final = "AWS::IAM::InstanceProfile"
_NO_USE: Final = re.compile(r"AWS::IAM::.*|.*Policy")
_GIVEN: Final = re.compile(r'"(\w+)": "(arn:[a-z-]+:iam::[^:"]*:(?:role|instance-profile)/[^"]+)"')
_NAMED_IN_POLICIES: Final = frozenset({"AWS", "Resource", "NotResource", "Federated"})
_PROFILE_NAMED: Final = re.compile(r'"IamInstanceProfile": (?:\{"\w+": )?"([^"]+)"')


def acting(model: Model) -> list[Fact]:
    """A fact for each role that a resource is given, and for the policy that limits each role and user ("none")."""
    found: list[Fact] = []
    for resource, text in texts(model).items():
        if (":role/" in text or "InstanceProfile" in text) and not _NO_USE.fullmatch(resource.type):
            with reading(model, resource):
                found += _given(model, resource, text)
    for holder in model.of_type(ROLE, USER):
        with reading(model, holder):
            arn = holder.value("PermissionsBoundary")
            limit = model.find(arn, MANAGED, near=holder)
            evidence = (holder, limit) if limit else (holder,)
            found.append(Fact(Relation.POSTURE, (holder.name, LIMITED_BY, str(arn or "none")), evidence))
    return distinct(found)


def _given(model: Model, resource: Resource, text: str) -> Iterator[Fact]:
    for key, arn in _GIVEN.findall(text):
        if key not in _NAMED_IN_POLICIES and ":role/" in arn:
            quality = STARTED_BY if key == "ExecutionRoleArn" and "::ECS::" in resource.type else ACTS_AS
            yield _fact(model, resource, quality, arn)
    for named in _PROFILE_NAMED.findall(text):
        profile = model.find(named, _PROFILE, near=resource)
        for role in listed(profile.value("Roles")) if profile else [named]:
            yield _fact(model, resource, ACTS_AS, role)


def _fact(model: Model, resource: Resource, quality: str, named: str) -> Fact:
    role = model.find(named, ROLE, near=resource)
    values = (resource.name, quality, role.name if role else f"role {named}")
    step = f"{resource.name} is given {values[2]}"
    return Fact(Relation.POSTURE, values, (resource, *((role,) if role else ())), (step,))
