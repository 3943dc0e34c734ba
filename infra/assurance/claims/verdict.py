"""Hold the facts against the claims: what a claim speaks about must be exactly what it allows."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Final, TypeAlias

from infra.assurance.claims.claim import Claim, Claims
from infra.assurance.claims.pattern import SEPARATOR, any_of, shape_of, text_of
from infra.assurance.claims.place import OUTSIDE, Place
from infra.assurance.facts import COLUMNS, UNDECIDED, Fact, Relation


class State(StrEnum):
    """Of a claim: its facts follow from the templates, or a test measured some of them, or it does not hold."""

    COMPUTED = "computed"
    MEASURED = "measured"
    BROKEN = "broken"


@dataclass(slots=True)
class Verdict:
    """On a claim in all its places. Extra facts are allowed by no row, and a missing row is no fact; what is unmeasured
    only a server decides, and no test is named."""

    claim: Claim
    held: list[tuple[Place, Fact]] = field(default_factory=list[tuple[Place, Fact]])
    extra: list[tuple[Place, Fact]] = field(default_factory=list[tuple[Place, Fact]])
    missing: list[tuple[Place, str]] = field(default_factory=list[tuple[Place, str]])
    unmeasured: list[tuple[Place, Fact]] = field(default_factory=list[tuple[Place, Fact]])

    @property
    def state(self) -> State:
        """Broken, or else how it is known."""
        if self.extra or self.missing or self.unmeasured:
            return State.BROKEN
        return State.MEASURED if any(fact.measured_by for _, fact in self.held) else State.COMPUTED


UNCLAIMED: Final = "Every fact is spoken about by a claim."
"""The claim that nobody writes: without it, what nobody thought of would pass in silence."""

Table: TypeAlias = Sequence[tuple[str, Fact]]


def judge(claims: Claims, facts: Sequence[Fact], places: Sequence[Place] | None = None) -> list[Verdict]:
    """A verdict on every claim, and for each relation with facts that no claim speaks about one on those.

    A claim is judged in those of its environments that are among the places (`places_of`; by default all). A claim of
    no environment speaks about facts that name none.
    """
    if places is None:
        named = {**claims.environments, OUTSIDE: ""}
        places = [Place(name, path, claims.names) for name, path in named.items()]
    tables = _tables_of(facts, claims)
    spoken: set[Fact] = set()
    verdicts: list[Verdict] = []
    for claim in claims.claims:
        verdict = Verdict(claim)
        for place in places:
            if place.name in (claim.environments or (OUTSIDE,)):
                _judge_in(place, verdict, tables.get((place.name, claim.relation), ()))
        spoken.update(fact for found in (verdict.held, verdict.extra, verdict.unmeasured) for _, fact in found)
        verdicts.append(verdict)
    return [*verdicts, *_unclaimed([fact for fact in facts if fact not in spoken])]


def _judge_in(place: Place, verdict: Verdict, table: Table) -> None:
    claim = verdict.claim
    about = _about(claim, place)
    spoken = {text: fact for text, fact in table if about.fullmatch(text)}
    allowed: set[str] = set()
    for columns in _combinations(claim, place):
        shape = shape_of(columns)
        fits = [shape] if isinstance(shape, str) else [text for text in spoken if shape.fullmatch(text)]
        found = [text for text in fits if text in spoken]
        allowed.update(found)
        if not found:
            verdict.missing.append((place, str(Fact(claim.relation, columns))))
    for text, fact in spoken.items():
        if text not in allowed:
            verdict.extra.append((place, fact))
        elif UNDECIDED not in fact.values:
            verdict.held.append((place, fact))
        elif claim.measured_by:
            verdict.held.append((place, replace(fact, measured_by=claim.measured_by)))
        else:
            verdict.unmeasured.append((place, fact))


def _about(claim: Claim, place: Place) -> re.Pattern[str]:
    columns = COLUMNS[claim.relation]
    alternatives = [
        any_of([place.filled(pattern) for pattern in patterns.get(column, ("**",))] for column in columns).pattern
        for patterns in claim.about
    ]
    return re.compile("|".join(alternatives))


def _combinations(claim: Claim, place: Place) -> Iterator[tuple[str, ...]]:
    """Every row that must be there, written out."""
    columns = COLUMNS[claim.relation]
    for row in claim.allowed:
        if place.name == OUTSIDE or place.name in row.environments:
            yield from product(*([place.filled(pattern) for pattern in row.columns[column]] for column in columns))


def _tables_of(facts: Iterable[Fact], claims: Claims) -> Mapping[tuple[str, Relation], Table]:
    """The facts by the places that they name and by relation, so that a claim looks at few."""
    names = {path: name for name, path in claims.environments.items()}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    homes = re.compile(rf"(?:^|(?<=[{SEPARATOR} ]))({longest_first})/") if names else None
    tables: dict[tuple[str, Relation], list[tuple[str, Fact]]] = defaultdict(list)
    for fact in facts:
        text = text_of(fact.values)
        found = set(homes.findall(text)) if homes else set[str]()
        for place in {names[path] for path in found} or {OUTSIDE}:
            tables[place, fact.relation].append((text, fact))
    return tables


def _unclaimed(facts: Sequence[Fact]) -> Iterator[Verdict]:
    for relation in dict.fromkeys(fact.relation for fact in facts):
        claim = Claim(f"{UNCLAIMED[:-1]} ({relation}).", "whoever writes the claims", relation, (), (), ())
        yield Verdict(claim, extra=[(Place(OUTSIDE, ""), fact) for fact in facts if fact.relation == relation])
