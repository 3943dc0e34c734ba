"""Encryption contexts: the kinds of them that policies tell apart, so that a use of a key says in which it is allowed.

A request to KMS may bring pairs of a key and a value: <https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>.
Conditions ask for a pair's value (`kms:EncryptionContext:<key>`) or for the keys (`kms:EncryptionContextKeys`), and
name finitely many: for each key there is each value that a policy in sight names, another value, and no such key. The
case of a key means nothing to the first condition, and something to the second:
<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-case>.
Requests of AWS services that act by themselves are not told apart: those write contexts of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import prod
from typing import Final, NamedTuple, TypeAlias

from infra.assurance.access.desk import Desk
from infra.assurance.access.guarded import Context, Guarded
from infra.assurance.access.policies.conditions import Condition
from infra.assurance.access.policies.document import Statement
from infra.assurance.access.policies.patterns import anything, matches_arn
from infra.assurance.access.policies.truth import NO
from infra.assurance.model.identity import is_unknown

PAIR: Final = "kms:encryptioncontext:"
NAMES: Final = "kms:encryptioncontextkeys"
_PREFIX: Final = "kms:encryptioncontext"
MOST: Final = 1024
"""Kinds of contexts that are told apart for one principal: more are refused."""

# A character that no policy has: what holds it is another text than all that policies name.
_OTHER: Final = "\ue002"
_FREE: Final = None
_IN_ANOTHER_CASE: Final = " in another case"


class Pair(NamedTuple):
    """What a kind of context says of one key: a value, or that the key is not there. `text` is how facts call it.

    `name` is the key as a request spells it, `value` a text that stands for all of the kind.
    """

    text: str
    key: str = ""
    name: str = ""
    value: str = ""

    @property
    def there(self) -> bool:
        """Whether the key is in the context."""
        return bool(self.name)


Kind: TypeAlias = tuple[Pair, ...]
"""One pair for every key that matters."""
Kinds: TypeAlias = frozenset[Pair]
"""All kinds of contexts that have these pairs; without one, every context."""


def context(kind: Kind) -> Context:
    """The condition keys of a request with such a context."""
    found = {PAIR + pair.key: (pair.value,) if pair.there else () for pair in kind if pair.key}
    return {**found, NAMES: tuple(pair.name for pair in kind if pair.there)}


def told(kinds: Kinds) -> str:
    """How facts say it: " with app=shop, another tenant without purpose"; "" for every context."""
    there = ", ".join(sorted(pair.text for pair in kinds if pair.there))
    lacking = ", ".join(sorted(pair.text for pair in kinds if not pair.there))
    return (f" with {there}" if there else "") + (f" without {lacking}" if lacking else "")


def summed(allowed: Iterable[Kind], choices: list[Kind]) -> list[Kinds]:
    """Kinds in as few words as possible: each of the widest sets that are allowed as a whole (prime implicants)."""
    found: set[tuple[Pair | None, ...]] = set(allowed)
    for place, pairs in enumerate(choices):
        for one in list(found):
            before, behind = one[:place], one[place + 1 :]
            if all((*before, pair, *behind) in found for pair in pairs):
                found.add((*before, _FREE, *behind))

    def widest(one: tuple[Pair | None, ...]) -> bool:
        return not any(pair and (*one[:place], _FREE, *one[place + 1 :]) in found for place, pair in enumerate(one))

    sets = {frozenset(pair for pair in one if pair) for one in found if widest(one)}
    return sorted(sets, key=lambda kinds: (len(kinds), told(kinds)))


class Contexts:
    """What policies say of the encryption contexts of one key."""

    def __init__(self, desk: Desk, key: Guarded) -> None:
        self._key = key
        self._values: dict[str, dict[str, str]] = defaultdict(dict)
        self._no_texts: set[str] = set()
        self._patterns: set[str] = set()
        self._of_any_case: dict[str, set[str]] = defaultdict(set)
        conditions = _conditions([*(key.policy.statements if key.policy else ()), *desk.asking(_PREFIX)], key.arn)
        self.asked = bool(conditions)
        """Whether any policy in sight asks for a context."""
        for condition in conditions:
            self._learn(condition)

    @property
    def none(self) -> Context:
        """What is known of a request that takes no context."""
        return {PAIR + key: () for key in self._values} | {NAMES: ()} if self.asked else {}

    def choices(self, statements: Iterable[Statement]) -> list[Kind]:
        """Of what statements ask for, key by key, the pairs of which a request has one.

        Raises:
            Refused: together, they make too many kinds of contexts.
        """
        asked = _conditions(statements, self._key.arn)
        keys = {each.key.removeprefix(PAIR) for each in asked if each.key != NAMES}
        spelled: dict[str, set[str]] = defaultdict(set)
        patterns: set[str] = set()
        for each in asked:
            for name in each.values if each.key == NAMES and each.operator else ():
                if _is_by_pattern(each) or is_unknown(name):
                    patterns.add(name)
                elif _ignores_case(each):
                    keys.add(name.lower())
                else:
                    spelled[name.lower()].add(name)
        keys |= spelled.keys()
        found = [(*self._pairs(key, spelled.get(key, set())), Pair(key, key)) for key in sorted(keys)]
        found += [(Pair(name, "", _standing_for(name)), Pair(name)) for name in sorted(patterns)]
        if any(each.key == NAMES for each in asked):
            found.append((Pair("another key", "", _OTHER), Pair("another key")))
        number = prod(map(len, found))
        if number > MOST:
            what = f"{number} kinds of encryption contexts, by {', '.join(sorted(keys))}"
            raise self._key.resource.refuse(f"is used under conditions that tell apart {what}: {MOST} at most are")
        return found

    def _learn(self, condition: Condition) -> None:
        if condition.key == NAMES:
            return
        key, values = condition.key.removeprefix(PAIR), self._values[condition.key.removeprefix(PAIR)]
        if condition.operator is None:  # whether there is one, whichever
            return
        if not condition.operator.is_text:
            self._no_texts.add(key)
        if _is_by_pattern(condition):
            self._patterns.add(key)
        if _ignores_case(condition):
            self._of_any_case[key].update(value for value in condition.values if not is_unknown(value))
        for value in condition.values:
            if not _is_by_pattern(condition):
                values[value] = _standing_for(value) if "${" in value else value
            elif value.strip("*"):
                values[value] = _standing_for(value)

    def _pairs(self, key: str, names: set[str]) -> Iterator[Pair]:
        values = {**self._values.get(key, {}), **dict(self._in_another_case(key))}
        other = anything(f"another {key}") if key in self._no_texts else _OTHER
        others = (name for name in (key.upper(), key, key.title()) if name not in names)
        for name in (*sorted(names), next(others, key)) if names else (key,):
            for value, text in values.items():
                yield Pair(f"{name}={_quoted(value)}", key, name, text)
            yield Pair(f"another {name}" if values else name, key, name, other)

    def _in_another_case(self, key: str) -> Iterator[tuple[str, str]]:
        """Of values whose case means nothing to some condition, those in a case that none names."""
        named = self._values.get(key, {})
        for value in sorted(self._of_any_case.get(key, ())):
            others = [case for case in (value.upper(), value.lower(), value.swapcase()) if case not in named]
            if others:
                yield f"{value}{_IN_ANOTHER_CASE}", anything(value) if key in self._patterns else others[0]


def _quoted(value: str) -> str:
    """A value, in quotes if it could be taken for more than one."""
    plain = value.removesuffix(_IN_ANOTHER_CASE)
    return value if is_unknown(value) or not (" " in plain or "," in plain) else f'"{plain}"{value[len(plain) :]}'


def _conditions(statements: Iterable[Statement], arn: str) -> list[Condition]:
    """Those on encryption contexts, of statements that may speak of a key and of more than AWS's services."""
    return [
        condition
        for statement in statements
        if statement.conditions and not _of_services(statement)
        for condition in statement.conditions
        if condition.key.startswith(_PREFIX) and _may_cover(statement, arn)
    ]


def _is_by_pattern(condition: Condition) -> bool:
    """Whether wildcards in its values mean something."""
    written = condition.written.lower()
    return "like" in written or "arn" in written


def _ignores_case(condition: Condition) -> bool:
    return "ignorecase" in condition.written.lower()


def _of_services(statement: Statement) -> bool:
    return bool(statement.principals) and all(kind == "Service" for kind, _ in statement.principals or ())


def _may_cover(statement: Statement, arn: str) -> bool:
    patterns = statement.resources
    return patterns is None or any("${" in each or matches_arn(each, arn) is not NO for each in patterns)


def _standing_for(pattern: str) -> str:
    """A text for all that a pattern covers and no policy names: unknown where the pattern is open."""
    unknown = anything("any")
    if "${" in pattern:
        return anything(pattern.replace("⟪", "").replace("⟫", ""))
    first, star, rest = pattern.partition("*")
    text = first + (_OTHER + unknown if star else "") + rest.replace("*", unknown)
    return text.replace("?", unknown)
