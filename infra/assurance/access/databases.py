"""Databases that IAM lets in without a password, and who may sign in as which of their users.

<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Guarded
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.reading import is_true, listed, reading
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.identity import attribute
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

CONNECT: Final = "rds-db:connect"
EVERY_USER: Final = "*"
_SOMEBODY: Final = "some-user-that-no-policy-names"
# The attribute that is the id by which policies name it.
_IDS: Final = {
    "AWS::RDS::DBCluster": "DBClusterResourceId",
    "AWS::RDS::DBInstance": "DbiResourceId",
    "AWS::Neptune::DBCluster": "ClusterResourceId",
}
_PROXY: Final = "AWS::RDS::DBProxy"


@dataclass(frozen=True, eq=False)
class Database:
    """A database (or a proxy before one) with the first part of the ARNs of its users."""

    door: Guarded
    id: str


def databases(model: Model) -> list[Database]:
    """Those that admit by IAM."""
    found: list[Database] = []
    for resource in model.of_type(*_IDS, _PROXY):
        with reading(model, resource):
            if _admits(resource):
                found.append(_database(resource))
    return found


def connections(desk: Desk, found: list[Database]) -> Iterator[Fact]:
    """Who may sign in as whom: each user that a policy names, and `*` for who may be any."""
    named = [pattern for pattern in desk.patterns if pattern.split(":")[2:3] == ["rds-db"]]
    for database in found:
        yield from _signed_in(desk, database, named)
    yield from _elsewhere(desk, found, named)


def _signed_in(desk: Desk, database: Database, named: list[str]) -> Iterator[Fact]:
    door = database.door
    users = {user for pattern in named if (user := _user(pattern)) and EVERY_USER not in user}
    for user in (_SOMEBODY, *sorted(users)):
        for actor, decision in desk.answers(Question(CONNECT, door, resource=f"{door.arn}/{user}")).items():
            shown = EVERY_USER if user == _SOMEBODY else user
            yield Fact(
                Relation.CONNECTS,
                (actor.name, door.name, shown),
                (*actor.evidence, *door.evidence),
                (sentence(actor, CONNECT, door, decision),),
            )


def _elsewhere(desk: Desk, found: list[Database], named: list[str]) -> Iterator[Fact]:
    """Databases of which templates only say the id."""
    known = [database.door.arn for database in found]
    by_database: dict[str, set[str]] = defaultdict(set)
    for pattern in named:
        arn = pattern.partition("/")[0]
        if "*" not in arn and not any(matches(arn, each) for each in known):
            by_database[arn].add(_user(pattern) or EVERY_USER)
    for arn, users in by_database.items():
        parts = arn.split(":")
        door = Guarded(f"database {arn}", arn, parts[4], parts[3], known=False)
        for user in sorted(users):
            for actor, decision in desk.answers(Question(CONNECT, door, resource=f"{arn}/{user}")).items():
                path = (sentence(actor, CONNECT, door, decision),)
                yield Fact(Relation.CONNECTS, (actor.name, door.name, user), actor.evidence, path)


def _user(pattern: str) -> str:
    return pattern.partition("/")[2]


def _admits(resource: Resource) -> bool:
    if resource.type == _PROXY:
        return any(auth.get("IAMAuth") in {"REQUIRED", "ENABLED"} for auth in listed(resource.value("Auth")))
    keys = ("EnableIAMDatabaseAuthentication", "IamAuthEnabled")
    return any(is_true(resource.value(key)) for key in keys)


def _database(resource: Resource) -> Database:
    stack = resource.stack
    identifier = (
        resource.arn.rpartition(":")[2] if resource.type == _PROXY else str(attribute(resource, _IDS[resource.type]))
    )
    arn = f"arn:{stack.partition}:rds-db:{stack.region}:{stack.account}:dbuser:{identifier}"
    return Database(Guarded(resource.name, arn, stack.account, stack.region, evidence=(resource,)), identifier)
