"""Databases that IAM lets in without a password, and who may sign in as which of their users.

<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from infra.assurance.access.actors import Actor
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Guarded
from infra.assurance.access.policies.evaluate import Decision
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.reading import is_true, listed, reading
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.identity import attribute, digest
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

CONNECT: Final = "rds-db:connect"
EVERY_USER: Final = "*"
BY_SECRET: Final = "that of a secret, through the Data API"  # noqa: S105 - told as a user
_STATEMENT: Final = "rds-data:ExecuteStatement"
_SOMEBODY: Final = "some-user-that-no-policy-names"
# The attribute that is the id by which policies name it, and how AWS makes ids up.
_IDS: Final = {
    "AWS::RDS::DBCluster": ("DBClusterResourceId", "cluster"),
    "AWS::RDS::DBInstance": ("DbiResourceId", "db"),
}
_PROXY: Final = "AWS::RDS::DBProxy"


def databases(model: Model) -> list[Guarded]:
    """Those that admit by IAM, each with the first part of its users' ARNs for its own."""
    found: list[Guarded] = []
    for resource in model.of_type(*_IDS, _PROXY):
        with reading(model, resource):
            if _admits(resource):
                found += _users_of(resource)
    return found


def connections(desk: Desk, found: list[Guarded]) -> Iterator[Fact]:
    """Who may sign in as whom: each user that a policy names, or `*` for who may be any."""
    named = [pattern for pattern in desk.patterns if pattern.split(":")[2:3] == ["rds-db"]]
    users = {user for pattern in named if (user := _user(pattern)) and EVERY_USER not in user}
    for door in found:
        every = desk.answers(Question(CONNECT, door, resource=f"{door.arn}/{_SOMEBODY}"))
        yield from _rows(every, door, EVERY_USER)
        for user in sorted(users):
            answers = desk.answers(Question(CONNECT, door, resource=f"{door.arn}/{user}"))
            yield from _rows({actor: why for actor, why in answers.items() if actor not in every}, door, user)
    yield from _elsewhere(desk, found, named)


def questioned(desk: Desk, model: Model) -> list[Fact]:
    """Who sends statements through the Data API, as whatever user they have the secret of.

    <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html>
    """
    found: list[Fact] = []
    for cluster in model.of_type("AWS::RDS::DBCluster"):
        with reading(model, cluster):
            if is_true(cluster.value("EnableHttpEndpoint")):
                stack = cluster.stack
                door = Guarded(cluster.name, cluster.arn, stack.account, stack.region, evidence=(cluster,))
                found += _rows(desk.answers(Question(_STATEMENT, door)), door, BY_SECRET)
    return found


def _rows(answers: Mapping[Actor, Decision], door: Guarded, user: str) -> Iterator[Fact]:
    for actor, decision in answers.items():
        path = (sentence(actor, CONNECT, door, decision),)
        yield Fact(Relation.CONNECTS, (actor.name, door.name, user), (*actor.evidence, *door.evidence), path)


def _elsewhere(desk: Desk, found: list[Guarded], named: list[str]) -> Iterator[Fact]:
    """Databases of which templates only say the id."""
    known = [door.arn for door in found]
    by_database: dict[str, set[str]] = defaultdict(set)
    for pattern in named:
        arn = pattern.partition("/")[0]
        if "*" not in arn and not any(matches(arn, each) for each in known):
            by_database[arn].add(_user(pattern) or EVERY_USER)
    for arn, users in by_database.items():
        parts = arn.split(":")
        door = Guarded(f"database {arn}", arn, parts[4], parts[3], known=False)
        for user in sorted(users):
            yield from _rows(desk.answers(Question(CONNECT, door, resource=f"{arn}/{user}")), door, user)


def _user(pattern: str) -> str:
    return pattern.partition("/")[2]


def _admits(resource: Resource) -> bool:
    if resource.type == _PROXY:
        return any(auth.get("IAMAuth") in {"REQUIRED", "ENABLED"} for auth in listed(resource.value("Auth")))
    return is_true(resource.value("EnableIAMDatabaseAuthentication"))


def _users_of(resource: Resource) -> Iterator[Guarded]:
    """One for the id as templates refer to it, one as AWS makes ids up: policies may have wildcards for either."""
    stack = resource.stack
    prefix = f"arn:{stack.partition}:rds-db:{stack.region}:{stack.account}:dbuser:"
    if resource.type == _PROXY:
        ids = (resource.arn.rpartition(":")[2], f"prx-{digest(resource, 17)}")
    else:
        attribute_name, made_up = _IDS[resource.type]
        ids = (str(attribute(resource, attribute_name)), f"{made_up}-{digest(resource, 26).upper()}")
    for identifier in ids:
        yield Guarded(resource.name, prefix + identifier, stack.account, stack.region, evidence=(resource,))
