"""A policy document, read strictly: what IAM would not accept, or has no model here, is refused.

Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias, cast

from infra.assurance.access.policies.conditions import Condition
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.policies.truth import MAYBE, YES, Truth, negated, some
from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.refusal import Refused

Principals: TypeAlias = tuple[tuple[str, str], ...]
"""Whom a statement names: kind (`AWS`, `Service`, `Federated`, `CanonicalUser`) and name, `*` for all of the kind."""

VARIABLES_SINCE: Final = "2012-10-17"
_VERSIONS: Final = frozenset({VARIABLES_SINCE, "2008-10-17"})
_KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_ELEMENTS: Final = frozenset({
    "sid", "effect", "action", "notaction", "resource", "notresource", "principal", "notprincipal", "condition",
})  # fmt: skip
# An account, also the one that the CDK writes for a stack that may go to any.
_ACCOUNT: Final = re.compile(r"\d{12}|unknown-account")
# A principal by the id that IAM made up for it: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


class Statement(NamedTuple):
    """One rule. An element that is not there is None. `source` says where it stands.

    `services` are those that its actions are of, None for any.
    """

    allows: bool
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: Principals | None
    not_principals: Principals | None
    conditions: tuple[Condition, ...]
    sid: str
    source: str
    has_variables: bool
    services: frozenset[str] | None

    def is_about(self, action: str) -> bool:
        """Whether it speaks of an action (lower case) of its services: an Allow if it may, a Deny if it surely does."""
        named = _covers(self.actions or self.not_actions or (), action)
        truth = named if self.actions is not None else negated(named)
        return truth is YES or (self.allows and truth is MAYBE)

    def __str__(self) -> str:
        """How messages call it."""
        return f"statement {self.sid} of {self.source}" if self.sid else f"a statement of {self.source}"


class Document:
    """A policy: its statements, found by action."""

    def __init__(self, statements: tuple[Statement, ...], source: str) -> None:
        self.statements = statements
        self.source = source
        self._of_service: dict[str, list[Statement]] = {}
        self._about: dict[str, tuple[Statement, ...]] = {}

    @classmethod
    def parse(cls, given: Json, where: str) -> "Document":
        """Read a document, or its text, in which every function is computed; `where` names who carries it.

        Raises:
            Refused: it is malformed, or says something that has no model.
        """
        reader = _Reader(where)
        document = reader.elements(reader.read(given), known=frozenset({"version", "id", "statement"}))
        version = document.get("version", "2008-10-17")
        if version not in _VERSIONS:
            raise reader.refuse(f"a policy of version {version}")
        statements = _listed(document.get("statement", []))
        return cls(tuple(reader.statement(each, variables=version == VARIABLES_SINCE) for each in statements), where)

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that speak of an action, denials first."""
        found = self._about.get(action)
        if found is None:
            lower = action.lower()
            chosen = [each for each in self._speaking_of(lower.partition(":")[0]) if each.is_about(lower)]
            found = self._about[action] = tuple(sorted(chosen, key=_allows) if len(chosen) > 1 else chosen)
        return found

    def _speaking_of(self, service: str) -> list[Statement]:
        """The statements with actions that may be the service's."""
        found = self._of_service.get(service)
        if found is None:
            found = self._of_service[service] = [
                each for each in self.statements if each.services is None or service in each.services
            ]
        return found


_allows: Final = attrgetter("allows")


@cache
def _covers(patterns: tuple[str, ...], action: str) -> Truth:
    return some(matches(pattern, action) for pattern in patterns)


def _services(actions: tuple[str, ...] | None) -> frozenset[str] | None:
    """Of which services the actions are; None if of any."""
    services = frozenset(action.partition(":")[0] for action in actions or ("*",))
    return None if any("*" in service or "?" in service or is_unknown(service) for service in services) else services


class _Reader(NamedTuple):
    where: str

    def refuse(self, what: str) -> Refused:
        return Refused(f"has a policy that is not understood: {what}", where=self.where)

    def read(self, value: Json) -> Json:
        """The document; some resource types hold it as text."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise self.refuse(f"{value[:80]!r} is no JSON") from error

    def elements(self, value: Json, *, known: frozenset[str]) -> dict[str, Json]:
        """An object by the lower-case names of its elements: their case means nothing."""
        if not isinstance(value, dict):
            raise self.refuse(f"{str(value)[:80]!r} is no JSON object")
        table = cast("dict[str, Json]", value)
        found = {key.lower(): inner for key, inner in table.items()}
        if len(found) != len(table) or not found.keys() <= known:
            raise self.refuse(f"the elements {', '.join(table)}")
        return found

    def statement(self, value: Json, *, variables: bool) -> Statement:
        given = self.elements(value, known=_ELEMENTS)
        for element in ("action", "resource", "principal"):
            if element in given and f"not{element}" in given:
                raise self.refuse(f"both {element} and not{element}")
        if given.get("effect") not in {"Allow", "Deny"}:
            raise self.refuse(f"the effect {given.get('effect')}")
        if "action" not in given and "notaction" not in given:
            raise self.refuse("a statement without an action")
        resources, not_resources = self.texts(given, "resource"), self.texts(given, "notresource")
        actions, conditions = self.actions(given, "action"), self.conditions(given.get("condition", {}))
        return Statement(
            allows=given["effect"] == "Allow",
            actions=actions,
            not_actions=self.actions(given, "notaction"),
            resources=resources,
            not_resources=not_resources,
            principals=self.principals(given, "principal"),
            not_principals=self.principals(given, "notprincipal"),
            conditions=conditions,
            services=_services(actions),
            sid=str(given.get("sid", "")),
            source=self.where,
            has_variables=variables
            and any("${" in text for text in (*(resources or ()), *(not_resources or ()), *_texts_of(conditions))),
        )

    def texts(self, given: Mapping[str, Json], element: str) -> tuple[str, ...] | None:
        if element not in given:
            return None
        texts = _listed(given[element])
        if not all(isinstance(text, str) for text in texts):
            raise self.refuse(f"{element} {str(given[element])[:80]}")
        return tuple(texts)

    def actions(self, given: Mapping[str, Json], element: str) -> tuple[str, ...] | None:
        actions = self.texts(given, element)
        for action in actions or ():
            if action != "*" and ":" not in action and not is_unknown(action):
                raise self.refuse(f"the action {action}, which names no service")
        return None if actions is None else tuple(action.lower() for action in actions)

    def conditions(self, given: Json) -> tuple[Condition, ...]:
        if not isinstance(given, dict):
            raise self.refuse(f"the condition {str(given)[:80]}")
        found: list[Condition] = []
        for operator, keys in cast("dict[str, Json]", given).items():
            if not isinstance(keys, dict):
                raise self.refuse(f"the condition {operator} {str(keys)[:80]}")
            for key, values in cast("dict[str, Json]", keys).items():
                found.append(Condition.parse(operator, key, _listed(values), self.where))
        return tuple(found)

    def principals(self, given: Mapping[str, Json], element: str) -> Principals | None:
        """Whom it names: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>."""
        if element not in given:
            return None
        value = given[element]
        if value == "*":
            return (("AWS", "*"),)
        if not isinstance(value, dict):
            raise self.refuse(f"the {element} {str(value)[:80]}")
        named: list[tuple[str, str]] = []
        for kind, names in cast("dict[str, Json]", value).items():
            if kind not in _KINDS:
                raise self.refuse(f"a {element} of the kind {kind}")
            named += ((kind, self.principal(kind, name)) for name in _listed(names))
        return tuple(named)

    def principal(self, kind: str, name: Json) -> str:
        if not isinstance(name, str):
            raise self.refuse(f"the principal {str(name)[:80]}")
        if name == "*" or is_unknown(name) or kind != "AWS":
            return name
        if "*" in name:
            raise self.refuse(f"the principal {name}: IAM takes no wildcard in a part of a principal")
        if _UNIQUE_ID.fullmatch(name):
            raise self.refuse(f"the principal {name}: no template tells whose id that is")
        if not _ACCOUNT.fullmatch(name) and len(name.split(":", 5)) != 6:  # noqa: PLR2004 - parts of an ARN
            raise self.refuse(f"the principal {name}")
        return name


def _texts_of(conditions: tuple[Condition, ...]) -> list[str]:
    return [value for condition in conditions for value in condition.values]


def _listed(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [value]
