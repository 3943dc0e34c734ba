"""Services of AWS that act for anybody: a deputy that nobody tells for whom it may act can be sent by a stranger.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>: a policy that lets in a service says of whom,
by the account or the ARN that the service acts for, or by what it brings of them.
"""

from collections.abc import Iterable
from typing import Final

from infra.assurance.access.guarded import Guarded
from infra.assurance.access.policies.document import Statement
from infra.assurance.facts import Fact, Relation, distinct

FOR_ANYBODY: Final = "acts for anybody"
_SAYS_OF_WHOM: Final = ("account", "arn", "orgid", "orgpaths")


def deputies(doors: Iterable[Guarded]) -> list[Fact]:
    """A fact for each service that a policy lets in without saying of whom."""
    found: list[Fact] = []
    for door in doors:
        for statement in door.policy.statements if door.policy else ():
            if statement.allows and not _says_of_whom(statement):
                for kind, name in statement.principals or ():
                    if kind == "Service":
                        values = (door.name, FOR_ANYBODY, f"service {name}")
                        step = f"{statement} lets in {name}, for whomever it acts"
                        found.append(Fact(Relation.POSTURE, values, door.evidence, (step,)))
    return distinct(found)


def _says_of_whom(statement: Statement) -> bool:
    return any(condition.key.endswith(_SAYS_OF_WHOM) for condition in statement.conditions)
