"""Who may do what with the keys of the templates: by which service between, and in which encryption contexts.

Three things may be said of a use: nothing (however it is asked for), `via` the service that has to stand between, and
`with` or `without` pairs of the encryption context, where policies ask for them (`contexts.py`):
"decrypt via secretsmanager.eu-west-1.amazonaws.com", "decrypt with purpose=messages", "encrypt with another purpose".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final, NamedTuple

from infra.assurance.access.actors import ANYONE, Actor
from infra.assurance.access.contexts import Contexts, Kind, Kinds, context, summed, told
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Guarded
from infra.assurance.access.keys import DECRYPT, VIA, Keys
from infra.assurance.access.policies.document import Statement
from infra.assurance.access.policies.evaluate import Decision, ResourceKind
from infra.assurance.access.policies.evaluate import Kind as PrincipalKind
from infra.assurance.access.reading import reading
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.identity import is_unknown

_SEALING: Final = {
    "decrypt": (DECRYPT, "kms:ReEncryptFrom"),
    "encrypt": ("kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:ReEncryptTo"),
    # Shows nobody the key that it makes. Who may encrypt may as well seal a key of their own making.
    "make sealed keys": ("kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyPairWithoutPlaintext"),
}
_SIGNING: Final = {"sign": ("kms:Sign", "kms:GenerateMac"), "verify": ("kms:Verify", "kms:VerifyMac")}
_AGREEING: Final = {"agree on keys": ("kms:DeriveSharedSecret",)}
_GRANT: Final = "grant"
_KEEPING: Final = {
    # Who may make a grant may let anybody use the key: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.
    # Its context is the constraint of the grant that is asked for.
    _GRANT: ("kms:CreateGrant",),
    "administer": ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial"),
}
# By what a key is for, which stays as it was made:
# <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-KeyUsage>.
_BY_USAGE: Final = {
    "ENCRYPT_DECRYPT": _SEALING,
    "SIGN_VERIFY": _SIGNING,
    "GENERATE_VERIFY_MAC": _SIGNING,
    "KEY_AGREEMENT": _AGREEING,
}
_IMPLIED_BY: Final = {"make sealed keys": "encrypt"}
_ANY_USAGE: Final = {**_SEALING, **_SIGNING, **_AGREEING}
_SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
_WITHOUT_CONTEXT: Final = frozenset({"sign", "verify", "agree on keys", "administer"})
_NOTHING_BETWEEN: Final = ""


class Way(NamedTuple):
    """How a use is possible: through which service, and in which kinds of encryption contexts."""

    service: str = _NOTHING_BETWEEN
    kinds: Kinds = frozenset()

    def covers(self, other: "Way") -> bool:
        """Whether whoever has this way needs no other."""
        return self.service in {_NOTHING_BETWEEN, other.service} and self.kinds <= other.kinds

    def __str__(self) -> str:
        """What stands behind the use."""
        return (f" via {self.service}" if self.service else "") + told(self.kinds)


_ANYHOW: Final = Way()


class _Used:
    """By whom a key is used in one way of use."""

    def __init__(self) -> None:
        self.ways: dict[Actor, dict[Way, str]] = defaultdict(dict)
        """With the step that explains each."""

    def anyhow(self) -> set[Actor]:
        return {actor for actor, ways in self.ways.items() if _ANYHOW in ways}

    def covers(self, actor: Actor, way: Way, *, itself: bool) -> bool:
        return any(own.covers(way) and (itself or own != way) for own in self.ways.get(actor, ()))


def uses(desk: Desk, keys: Keys) -> list[Fact]:
    """Who may do what with the keys of the templates."""
    found: list[Fact] = []
    for key in keys.made:
        with reading(keys.model, key.resource):
            found += KeyUses(desk, key, *keys.kind(key)).facts()
    return found


class KeyUses:
    """Of one key, of that `KeyUsage` and `KeySpec`: neither asymmetric keys nor those for MACs take a context."""

    def __init__(self, desk: Desk, key: Guarded, usage: str, spec: str) -> None:
        self._desk, self._key = desk, key
        self._contexts = Contexts(desk, key)
        self._uses = {**_BY_USAGE.get(usage, _ANY_USAGE), **_KEEPING}
        self._takes_context = spec == _SYMMETRIC or is_unknown(spec)

    def facts(self) -> Iterator[Fact]:
        """Who may do what with it.

        Raises:
            Refused: its users' policies tell too many kinds of contexts apart.
        """
        found: dict[str, _Used] = {}
        for use, actions in self._uses.items():
            found[use], wider = _Used(), found.get(_IMPLIED_BY.get(use, ""), _Used())
            for action in actions:
                self._add(found[use], use, action, besides=found[use].anyhow() | wider.anyhow())
            yield from self._rows(use, found[use], wider)

    def _add(self, used: _Used, use: str, action: str, besides: set[Actor]) -> None:
        in_context = use == _GRANT or (self._takes_context and use not in _WITHOUT_CONTEXT)
        question = Question(action, self._key, ResourceKind.KEY, context={} if in_context else self._contexts.none)
        answers = self._desk.answers(question, besides=besides)
        found = {actor: dict(self._ways(actor, question, decision)) for actor, decision in answers.items()}
        if any(actor.name == ANYONE and _limited(ways) for actor, ways in found.items()):
            every = self._desk.answers(question, besides={*besides, *found}, everybody=True)
            found |= {actor: dict(self._ways(actor, question, decision)) for actor, decision in every.items()}
        for actor, ways in found.items():
            for way, why in ways.items():
                used.ways[actor].setdefault(way, sentence(actor, action, self._key, why))

    def _rows(self, use: str, used: _Used, wider: _Used) -> Iterator[Fact]:
        for actor, ways in used.ways.items():
            for way, why in ways.items():
                if not used.covers(actor, way, itself=False) and not wider.covers(actor, way, itself=True):
                    values = (actor.name, self._key.name, f"{use}{way}")
                    yield Fact(Relation.USES_KEY, values, (*actor.evidence, *self._key.evidence), (why,))

    def _ways(self, actor: Actor, question: Question, decision: Decision) -> Iterator[tuple[Way, Decision]]:
        key = self._key.policy
        statements = (*actor.principal.about(question.action), *(key.about(question.action) if key else ()))
        choices = self._choices(actor, question, statements)
        services = _services(statements)
        if not services:
            yield from self._allowed(actor, question, choices, decision)
            return
        found = False
        for service in (_NOTHING_BETWEEN, *services):
            known = {**question.context, VIA: (service,) if service else ()}
            for way, why in self._allowed(actor, question._replace(context=known), choices):
                found = True
                yield way._replace(service=service), why
                if service == _NOTHING_BETWEEN and not way.kinds:
                    return
        if not found:
            for way, why in self._allowed(actor, question, choices, decision):
                yield way._replace(service="some service"), why

    def _choices(self, actor: Actor, question: Question, statements: tuple[Statement, ...]) -> list[Kind]:
        """What a request's context may be made of, as far as it matters to somebody."""
        principal = actor.principal
        if not self._contexts.asked or question.context or principal.kind is PrincipalKind.SERVICE:
            return []
        return self._contexts.choices(
            (*statements, *(principal.boundary.about(question.action) if principal.boundary else ()))
        )

    def _allowed(
        self, actor: Actor, question: Question, choices: list[Kind], known: Decision | None = None
    ) -> Iterator[tuple[Way, Decision]]:
        """The kinds of contexts in which it is allowed; `known` is the answer whatever the context."""
        if not choices:
            decision = known or self._desk.ask(actor, question)
            if decision.allowed:
                yield _ANYHOW, decision
            return
        asked = {
            kind: self._desk.ask(actor, question._replace(context={**question.context, **context(kind)}))
            for kind in product(*choices)
        }
        allowed = {kind: decision for kind, decision in asked.items() if decision.allowed}
        for kinds in summed(allowed, choices):
            yield Way(kinds=kinds), next(decision for kind, decision in allowed.items() if kinds <= set(kind))


def _limited(ways: Iterable[Way]) -> bool:
    return all(way.kinds for way in ways)


def _services(statements: Iterable[Statement]) -> list[str]:
    """The services that conditions of statements speak of."""
    found = {
        value
        for statement in statements
        for condition in statement.conditions
        if condition.key == VIA
        for value in condition.values
    }
    return sorted(found)
