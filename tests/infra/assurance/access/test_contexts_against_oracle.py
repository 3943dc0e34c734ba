"""What is told of a key's use in encryption contexts is what an implementation of IAM that others wrote decides.

Policies are made up at random; each request is decided by itself, and must be among what is told just if it is allowed.
Where a policy names values by a pattern, more may be told, and never less.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from infra.assurance.access.actors import Actor
from infra.assurance.access.contexts import NAMES, PAIR
from infra.assurance.access.desk import Desk
from infra.assurance.access.guarded import Guarded
from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import Kind, Principal
from infra.assurance.access.uses import KeyUses
from tests.infra.assurance.access.policies.cases import ACTIONS, OWN, Case
from tests.infra.assurance.access.policies.test_against_oracle import simulated

POLICIES: Final = 250
REQUESTS: Final = 12
ACTION: Final = "kms:Decrypt"
KEY: Final = ACTIONS[ACTION][0]
ROLE: Final = f"arn:aws:iam::{OWN}:role/worker"
VALUES: Final = {"purpose": ("messages", "memories", "notes"), "tenant": ("a",)}
PATTERNS: Final = ("mess*", "*s", "a*", "*", "m*o*")
OTHERS: Final = ("messenger", "Messages", "zebra", "mo")
KEYS: Final = ("purpose", "tenant", "debug", "trace")
_SINGLE: Final = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike")
_IN_ANOTHER_CASE: Final = " in another case"
_SAID: Final = re.compile(r"decrypt(?: with (?P<there>.+?))?(?: without (?P<lacking>.+))?")


@dataclass(frozen=True)
class Policies:
    """Of a role and of a key, as JSON."""

    identity: Any
    of_key: Any

    @property
    def conditions(self) -> list[tuple[str, str, list[str]]]:
        """Operator, key in lower case and values of each condition on contexts."""
        return [
            (operator, key.lower(), values)
            for policy in (self.identity, self.of_key)
            for statement in policy["Statement"]
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ]

    def told(self) -> list[str]:
        principal = Principal(ROLE, OWN, Kind.ROLE, identity=[Document.parse(self.identity, "identity")])
        key = Guarded("key", KEY, OWN, "eu-central-1", Document.parse(self.of_key, "key"))
        desk = Desk([Actor("worker", principal, principal)])
        facts = KeyUses(desk, key, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT").facts()
        return [fact["action"] for fact in facts if fact["action"].startswith("decrypt")]


class Made:
    """An endless supply, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same cases in every run
        self.named: list[str] = []
        """Keys that conditions on keys name: not all at once, or there are too many kinds."""

    def some(self, values: Sequence[str]) -> list[str]:
        return self.random.sample(values, self.random.randint(1, min(2, len(values))))

    def condition(self) -> tuple[str, str, list[str]]:
        kind = self.random.random()
        if kind < 0.25:
            quantifier = self.random.choice(("ForAllValues:", "ForAnyValue:"))
            operator = self.random.choice(("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase"))
            return quantifier + operator, "kms:EncryptionContextKeys", self.some(self.named)
        name = self.random.choice(tuple(VALUES))
        key = f"kms:EncryptionContext:{self.random.choice((name, name, name.upper()))}"
        if kind < 0.35:
            return (
                "Null",
                self.random.choice((key, "kms:EncryptionContextKeys")),
                [self.random.choice(("true", "false"))],
            )
        operator = self.random.choice(_SINGLE) if self.random.random() < 0.4 else "StringEquals"
        values = self.some([*VALUES[name], *PATTERNS] if "Like" in operator else VALUES[name])
        return operator + self.random.choice(("", "", "IfExists")), key, values

    def statement(self, effect: str, **more: Any) -> dict[str, Any]:
        conditions: dict[str, dict[str, list[str]]] = {}
        while self.random.random() < 0.6:
            operator, key, values = self.condition()
            conditions.setdefault(operator, {})[key] = values
        return {"Effect": effect, "Action": ACTION, "Resource": "*", **more, "Condition": conditions}

    def policies(self) -> Policies:
        self.named = self.random.sample(KEYS[:3], 2)
        own = [self.statement("Allow"), *(self.statement("Deny") for _ in range(self.random.randint(0, 1)))]
        own += [self.statement("Allow")] if self.random.random() < 0.3 else []
        account = self.random.random() < 0.7
        principal = {"AWS": f"arn:aws:iam::{OWN}:root" if account else ROLE}
        of_key = [self.statement("Allow", Principal=principal)]
        of_key += [self.statement("Deny", Principal="*") for _ in range(self.random.randint(0, 2))]
        return Policies({"Version": "2012-10-17", "Statement": own}, {"Version": "2012-10-17", "Statement": of_key})

    def context(self) -> dict[str, str]:
        return {key: self.random.choice((*VALUES.get(key, ()), *OTHERS)) for key in KEYS if self.random.random() < 0.5}


def case(policies: Policies, context: Mapping[str, str]) -> Case:
    """The request, for the other implementation."""
    keys = {f"kms:EncryptionContext:{key}": [value] for key, value in context.items()}
    names = {"kms:EncryptionContextKeys": list(context)} if context else {}
    session = f"arn:aws:sts::{OWN}:assumed-role/worker/now"
    identity, of_key = [policies.identity], policies.of_key
    return Case(ROLE, session, OWN, Kind.ROLE, ACTION, identity, None, [], of_key, {**keys, **names})


def is_told(said: str, context: Mapping[str, str], policies: Policies) -> bool:
    """Whether a row speaks of a context, as a reviewer would read it."""
    match = _SAID.fullmatch(said)
    assert match, said
    there, lacking = ((match[part] or "").split(", ") if match[part] else [] for part in ("there", "lacking"))
    return all(_fits(pair, context, policies) for pair in there) and not any(
        _fits(pair, context, policies) for pair in lacking
    )


def _fits(pair: str, context: Mapping[str, str], policies: Policies) -> bool:
    conditions = policies.conditions
    if pair == "another key":
        named = {value for _, key, values in conditions if key == NAMES for value in values}
        named |= {key.removeprefix(PAIR) for _, key, _ in conditions if key != NAMES}
        return bool(context.keys() - named)
    name, has_value, value = pair.removeprefix("another ").partition("=")
    given = context.get(name)  # another spelling of a key is never in these requests
    if given is None or (not has_value and pair == name):
        return given is not None
    known = [
        (value, "Like" in operator)
        for operator, key, values in conditions
        if key == PAIR + name and operator != "Null"
        for value in values
    ]
    if value.endswith(_IN_ANOTHER_CASE):
        wanted = value.removesuffix(_IN_ANOTHER_CASE)
        return given != wanted and given.lower() == wanted.lower()
    exact = given in {value for value, is_pattern in known if not is_pattern or "*" not in value}
    by_pattern = [value for value, is_pattern in known if is_pattern and fnmatchcase(given, value) and value != "*"]
    if has_value:
        return given == value if exact else value in by_pattern
    of_any_case = {
        value.lower()
        for operator, key, values in conditions
        if key == PAIR + name and "IgnoreCase" in operator
        for value in values
    }
    return not exact and not by_pattern and given.lower() not in of_any_case


def test_what_is_told_is_what_is_allowed() -> None:
    made = Made(7)
    asked = [(made.policies(), [made.context() for _ in range(REQUESTS)]) for _ in range(POLICIES)]
    allowed = iter(simulated([case(policies, context) for policies, contexts in asked for context in contexts]))
    seen = {True: 0, False: 0}
    for policies, contexts in asked:
        rows = policies.told()
        has_patterns = "*" in str([values for *_, values in policies.conditions])
        for context in contexts:
            is_allowed = next(allowed)
            said = [row for row in rows if is_told(row, context, policies)]
            assert said or not is_allowed, f"not told: {context} by {policies}; {rows}"
            assert is_allowed or has_patterns or not said, f"too much: {context} by {policies}: {said}"
            seen[is_allowed] += 1
    assert min(seen.values()) > POLICIES * REQUESTS / 10, "too few cases are near the line"
