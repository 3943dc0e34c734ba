"""Hold the facts against the claims: what a claim speaks about must be exactly what it allows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Final, TypeAlias, cast

from infra.assurance.claims.claim import Claim, Claims, Patterns
from infra.assurance.claims.pattern import AnyOf, any_of, exact
from infra.assurance.claims.place import OUTSIDE, Place
from infra.assurance.facts import COLUMNS, UNDECIDED, Fact, Relation


class State(StrEnum):
    """Of a claim: its facts follow from the templates, or a test measured some of them, or it does not hold."""

    COMPUTED = "computed"
    MEASURED = "measured"
    BROKEN = "broken"


class Verdict:
    """On a claim in all its places. Extra facts are allowed by no row, and a missing row is no fact; what is unmeasured
    only a server decides, and no test is named."""

    def __init__(self, claim: Claim, extra: Iterable[tuple[Place, Fact]] = ()) -> None:
        self.claim = claim
        self.held: list[tuple[Place, Fact]] = []
        self.extra = list(extra)
        self.missing: list[tuple[Place, str]] = []
        self.unmeasured: list[tuple[Place, Fact]] = []

    @property
    def state(self) -> State:
        """Broken, or else how it is known."""
        if self.extra or self.missing or self.unmeasured:
            return State.BROKEN
        return State.MEASURED if any(fact.measured_by for _, fact in self.held) else State.COMPUTED


UNCLAIMED: Final = "Every fact is spoken about by a claim."
"""The claim that nobody writes: without it, what nobody thought of would pass in silence."""

Values: TypeAlias = tuple[str, ...]
Wanted: TypeAlias = Sequence[tuple[int, AnyOf]]
"""Of a fact's values, by their place."""


def judge(claims: Claims, facts: Sequence[Fact], places: Sequence[Place] | None = None) -> list[Verdict]:
    """A verdict on every claim that concerns one of the places, and on the facts of which no claim speaks.

    A claim is judged in those of its environments that are among the places (`places_of`; by default all). A claim of
    no environment speaks about facts that name no stage of one.
    """
    if places is None:
        named = {**claims.environments, OUTSIDE: ""}
        places = [Place(name, path, claims.names) for name, path in named.items()]
    tables = _tables_of(facts, places)
    spoken: set[Fact] = set()
    verdicts: list[Verdict] = []
    for claim in claims.claims:
        concerned = [place for place in places if place.name in (claim.environments or (OUTSIDE,))]
        if not concerned:
            continue
        verdict = Verdict(claim)
        for place in concerned:
            _judge_in(place, verdict, tables.get((place.name, claim.relation), _Table()))
        spoken.update(fact for found in (verdict.held, verdict.extra, verdict.unmeasured) for _, fact in found)
        verdicts.append(verdict)
    return [*verdicts, *_unclaimed([fact for fact in facts if fact not in spoken])]


class _Table:
    """Facts of one relation, which can be looked up by what stands in a column."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.holding: dict[tuple[int, str], list[Fact]] = defaultdict(list)

    def add(self, fact: Fact) -> None:
        self.facts.append(fact)
        for key in enumerate(fact.values):
            self.holding[key].append(fact)

    def fitting(self, wanted: Wanted) -> list[Fact]:
        """The facts that have what is wanted; looked for among few, if a column is wanted to be one of some texts."""
        lookups = [
            [fact for text in sorted(patterns.texts) for fact in self.holding.get((index, text), ())]
            for index, patterns in wanted
            if not (patterns.beginnings or patterns.expressions)
        ]
        among = min(lookups, key=len, default=self.facts)
        return [fact for fact in among if _fits(wanted, fact.values)]


def _judge_in(place: Place, verdict: Verdict, table: _Table) -> None:
    claim = verdict.claim
    abouts = [_meant(patterns, place, COLUMNS[claim.relation]) for patterns in claim.about]
    spoken = {fact.values: fact for about in abouts for fact in table.fitting(about)}
    allowed: set[Values] = set()
    for row in _combinations(claim, place):
        found = _found(row, spoken)
        allowed.update(found)
        if not found and not any(stack in value for stack in place.lacks for value in row):
            verdict.missing.append((place, str(Fact(claim.relation, row))))
    for values, fact in spoken.items():
        if values not in allowed:
            verdict.extra.append((place, fact))
        elif UNDECIDED not in values:
            verdict.held.append((place, fact))
        elif claim.measured_by:
            verdict.held.append((place, Fact(fact.relation, fact.values, fact.evidence, fact.path, claim.measured_by)))
        else:
            verdict.unmeasured.append((place, fact))


def _meant(patterns: Patterns, place: Place, columns: Sequence[str]) -> Wanted:
    """What a table of patterns wants of a fact's values, by their place in it."""
    return [
        (columns.index(column), any_of(place.filled(pattern) for pattern in wanted))
        for column, wanted in patterns.items()
    ]


def _fits(wanted: Wanted, values: Values) -> bool:
    return all(patterns.matches(values[index]) for index, patterns in wanted)


def _combinations(claim: Claim, place: Place) -> Iterator[Values]:
    """Every row that must be there, written out."""
    columns = COLUMNS[claim.relation]
    for row in claim.allowed:
        if place.name == OUTSIDE or place.name in row.environments:
            yield from product(*([place.filled(pattern) for pattern in row.columns[column]] for column in columns))


def _found(row: Values, spoken: Collection[Values]) -> list[Values]:
    """Which of the facts are what a row means."""
    texts = tuple(exact(pattern) for pattern in row)
    if None not in texts:
        return [cast("Values", texts)] if texts in spoken else []
    wanted = list(enumerate(any_of([pattern]) for pattern in row))
    return [values for values in spoken if _fits(wanted, values)]


def _tables_of(facts: Iterable[Fact], places: Iterable[Place]) -> Mapping[tuple[str, Relation], _Table]:
    """The facts by relation and by the places that they belong to, so that a claim looks at few.

    A fact belongs to the environments whose stage or account it names. One that names no stage belongs outside, too.
    """
    environments = [place for place in places if place.name != OUTSIDE]
    # The longest first: a stage may lie in another.
    paths = [(f"{place.path}/", f" {place.path}/", place.name) for place in environments]
    paths.sort(key=lambda one: -len(one[0]))
    accounts = [(account, place.name) for place in environments if (account := place.values.get("account"))]

    @cache
    def homes_of(value: str) -> tuple[list[str], list[str]]:
        """By stage, and by account."""
        by_stage = [name for path, behind, name in paths if value.startswith(path) or behind in value][:1]
        return by_stage, [name for account, name in accounts if account in value]

    tables: dict[tuple[str, Relation], _Table] = defaultdict(_Table)
    for fact in facts:
        stages, others = set[str](), set[str]()
        for value in fact.values:
            by_stage, by_account = homes_of(value)
            stages.update(by_stage)
            others.update(by_account)
        for place in (stages or {OUTSIDE}) | others:
            tables[place, fact.relation].add(fact)
    return tables


def _unclaimed(facts: Sequence[Fact]) -> Iterator[Verdict]:
    for relation in dict.fromkeys(fact.relation for fact in facts):
        claim = Claim(f"{UNCLAIMED[:-1]} ({relation}).", "whoever writes the claims", relation, (), (), ())
        yield Verdict(claim, extra=[(Place(OUTSIDE, ""), fact) for fact in facts if fact.relation == relation])
