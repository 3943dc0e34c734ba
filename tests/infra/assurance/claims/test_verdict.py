"""A claim holds when the facts it speaks about are exactly those it allows, and no fact is spoken about by none."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.claims import Claim, Claims, Place, Row, State, Verdict, judge
from infra.assurance.facts import UNDECIDED, Fact, Relation

ENVIRONMENTS = {"dev": "dev", "prod": "stages/prod"}
PLACES = [
    Place("dev", "dev", {"account": "111122223333"}),
    Place("prod", "stages/prod", {"account": "777788889999"}),
    Place("", ""),
]


def reaches(source: str, target: str, ports: str = "tcp 5432") -> Fact:
    return Fact(Relation.REACHES, (source, target, ports))


def claim(
    *allowed: dict[str, tuple[str, ...]],
    about: tuple[dict[str, tuple[str, ...]], ...] = ({"to": ("~/Shop",)},),
    environments: tuple[str, ...] = ("dev", "prod"),
    only: tuple[str, ...] | None = None,
    relation: Relation = Relation.REACHES,
    measured_by: str = "",
) -> Claim:
    common = {**(about[0] if len(about) == 1 else {})}
    rows = tuple(Row({**common, **row}, environments if only is None else only) for row in allowed)
    return Claim("A sentence.", "security", relation, environments, about, rows, measured_by)


def judged(facts: list[Fact], *claims: Claim, places: list[Place] | None = None) -> list[Verdict]:
    return judge(Claims(Path("claims.toml"), ENVIRONMENTS, claims), facts, PLACES if places is None else places)


WEB = {"from": ("~/Web",), "ports": ("tcp 5432",)}
BOTH = [reaches("dev/Web", "dev/Shop"), reaches("stages/prod/Web", "stages/prod/Shop")]


def test_exactly_the_allowed_facts_hold() -> None:
    (verdict,) = judged(BOTH, claim(WEB))
    assert verdict.state is State.COMPUTED
    assert [(place.name, fact) for place, fact in verdict.held] == list(zip(("dev", "prod"), BOTH, strict=True))


def test_an_extra_fact_breaks_the_claim_where_it_is() -> None:
    extra = reaches("stages/prod/LoadBalancer", "stages/prod/Shop")
    (verdict,) = judged([*BOTH, extra], claim(WEB))
    assert verdict.state is State.BROKEN
    assert [(place.name, fact) for place, fact in verdict.extra] == [("prod", extra)]
    assert not verdict.missing


def test_an_edge_from_another_environment_is_extra() -> None:
    extra = reaches("dev/Web", "stages/prod/Shop")
    (verdict,) = judged([*BOTH, extra], claim(WEB))
    assert [(place.name, fact) for place, fact in verdict.extra] == [("prod", extra)]


@pytest.mark.parametrize("extra", [[], [reaches("dev/Web", "dev/Shop", "tcp 443")]])
def test_a_missing_fact_breaks_the_claim(extra: list[Fact]) -> None:
    (verdict,) = judged([BOTH[1], *extra], claim(WEB))
    assert verdict.state is State.BROKEN
    assert [(place.name, row) for place, row in verdict.missing] == [("dev", "dev/Web reaches dev/Shop · tcp 5432")]
    assert [fact for _, fact in verdict.extra] == extra


def test_of_several_values_each_must_be_there() -> None:
    (verdict,) = judged(BOTH, claim({**WEB, "from": ("~/Web", "~/Job")}))
    assert [row for _, row in verdict.missing] == [
        "dev/Job reaches dev/Shop · tcp 5432",
        "stages/prod/Job reaches stages/prod/Shop · tcp 5432",
    ]


def test_a_pattern_must_match_something() -> None:
    assert judged(BOTH, claim({**WEB, "from": ("~/W*",)}))[0].state is State.COMPUTED
    assert [row for _, row in judged(BOTH, claim(WEB, {**WEB, "from": ("~/J*",)}))[0].missing] == [
        "dev/J* reaches dev/Shop · tcp 5432",
        "stages/prod/J* reaches stages/prod/Shop · tcp 5432",
    ]


def test_a_row_may_be_for_some_environments_only() -> None:
    only_prod = claim(WEB, only=("prod",))
    assert [fact for _, fact in judged(BOTH, only_prod)[0].extra] == [BOTH[0]]
    assert judged([BOTH[1]], only_prod)[0].state is State.COMPUTED


def test_alternatives_are_all_spoken_about() -> None:
    out = reaches("dev/Shop", "internet", "all")
    either = claim({**WEB, "to": ("~/Shop",)}, about=({"to": ("~/Shop",)}, {"from": ("~/Shop",)}))
    (verdict,) = judged([*BOTH, out], either)
    assert [fact for _, fact in verdict.extra] == [out]


def test_a_fact_no_claim_speaks_about_is_broken() -> None:
    alone = reaches("dev/Web", "internet", "all")
    _, verdict = judged([*BOTH, alone], claim(WEB))
    assert verdict.state is State.BROKEN
    assert verdict.claim.sentence == "Every fact is spoken about by a claim (reaches)."
    assert [fact for _, fact in verdict.extra] == [alone]


def test_a_claim_of_another_relation_speaks_about_nothing_of_this_one() -> None:
    assert [verdict.state for verdict in judged(BOTH, claim(relation=Relation.HOP))] == [State.COMPUTED, State.BROKEN]


def test_a_claim_of_no_environment_speaks_of_what_names_none() -> None:
    inner, outer = reaches("dev/Web", "dev/Shop"), reaches("builds/Web", "builds/Shop")
    outside = claim({"from": ("builds/*",), "to": ("**",), "ports": ("**",)}, about=({},), environments=())
    verdict, unclaimed = judged([inner, outer], outside)
    assert [fact for _, fact in verdict.held] == [outer]
    assert [fact for _, fact in unclaimed.extra] == [inner]


def test_account_and_region_are_those_of_the_environment() -> None:
    facts = [
        Fact(Relation.ASSUMES, ("root of 111122223333", "dev/Role")),
        Fact(Relation.ASSUMES, ("root of 777788889999", "stages/prod/Role")),
    ]
    own = claim({"who": ("root of {account}",)}, about=({"role": ("~/Role",)},), relation=Relation.ASSUMES)
    assert judged(facts, own)[0].state is State.COMPUTED
    swapped = [Fact(Relation.ASSUMES, (a.values[0], b.values[1])) for a, b in zip(facts, facts[::-1], strict=True)]
    assert len(judged(swapped, own)[0].extra) == len(judged(swapped, own)[0].missing) == 2


def test_what_names_an_account_belongs_to_its_environment_and_outside() -> None:
    pulls = Fact(Relation.PULLS, ("root of 777788889999", "repository of 777788889999"))
    own = claim(
        {"who": ("root of {account}",), "repository": ("repository of {account}",)},
        about=({"repository": ("repository of {account}",)},),
        environments=("prod",),
        relation=Relation.PULLS,
    )
    anyone = claim(about=({},), environments=(), relation=Relation.PULLS)
    assert [verdict.state for verdict in judged([pulls], own)] == [State.COMPUTED]
    assert [fact for _, fact in judged([pulls], own, anyone)[1].extra] == [pulls]


def test_rows_about_stacks_that_are_apart_are_not_asked_for_but_allowed() -> None:
    apart = [PLACES[0]._replace(lacks=("guards",))]
    both = claim(WEB, {**WEB, "from": ("holder of guards/policy",)})
    assert judged([BOTH[0]], both, places=apart)[0].state is State.COMPUTED
    assert judged([BOTH[0]], both, places=PLACES[:1])[0].state is State.BROKEN
    assert (
        judged([BOTH[0], reaches("holder of guards/policy", "dev/Shop")], both, places=apart)[0].state is State.COMPUTED
    )


def test_what_is_not_in_the_assembly_is_not_judged() -> None:
    assert judged([BOTH[0]], claim(WEB), places=[PLACES[0]])[0].state is State.COMPUTED
    assert judged([], claim(WEB, environments=("prod",)), places=[PLACES[0]]) == []


def test_what_a_server_decides_holds_only_as_measured() -> None:
    hop = Fact(Relation.HOP, ("dev/Balancer", "dev/Web", "HTTPS", UNDECIDED))
    row = {"from": ("~/Balancer",), "protocol": ("HTTPS",), "tls": (UNDECIDED,)}
    about = ({"to": ("~/Web",)},)
    (bare,) = judged([hop], claim(row, about=about, environments=("dev",), relation=Relation.HOP))
    assert bare.state is State.BROKEN
    assert [fact for _, fact in bare.unmeasured] == [hop]
    (named,) = judged([hop], claim(row, about=about, environments=("dev",), relation=Relation.HOP, measured_by="t::t"))
    assert named.state is State.MEASURED
    assert [fact.measured_by for _, fact in named.held] == ["t::t"]
    (sure,) = judged(BOTH, claim(WEB, measured_by="t::t"))
    assert sure.state is State.COMPUTED


names = st.sampled_from(["dev/Web", "dev/Shop", "stages/prod/Web", "stages/prod/Shop", "builds/Web", "internet"])
edges = st.builds(reaches, names, names, st.sampled_from(["all", "tcp 1"]))


@settings(deadline=None, max_examples=200, derandomize=True)
@given(facts=st.lists(edges, unique=True, max_size=8), allowed=st.lists(edges, unique=True, max_size=8))
def test_nothing_passes_but_the_very_set_that_is_allowed(facts: list[Fact], allowed: list[Fact]) -> None:
    def written(edge: Fact, path: str) -> dict[str, tuple[str, ...]]:
        return {column: (edge[column].replace(f"{path}/", "~/"),) for column in ("from", "to", "ports")}

    def inside(edge: Fact, path: str) -> bool:
        return any(value.startswith(f"{path}/") for value in edge.values)

    claims = [
        claim(
            *(written(edge, path) for edge in allowed if inside(edge, path)),
            about=({"from": ("~/**",)}, {"to": ("~/**",)}),
            environments=(name,),
        )
        for name, path in ENVIRONMENTS.items()
    ]
    outside = [edge for edge in allowed if not any(inside(edge, path) for path in ENVIRONMENTS.values())]
    claims.append(claim(*(written(edge, "-") for edge in outside), about=({},), environments=()))
    holds = all(verdict.state is not State.BROKEN for verdict in judged(facts, *claims))
    assert holds == (set(facts) == set(allowed))
