"""A check's outcome for people and for programs."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from infra.assurance.check import Outcome
from infra.assurance.claims import Place, State, Verdict
from infra.assurance.facts import COLUMNS, Fact
from infra.assurance.refusal import Refused


def as_text(outcome: Outcome) -> str:
    """Every claim with its verdict; what breaks one with its owner, where it comes from, and how it comes about."""
    lines = [line for verdict in outcome.verdicts for line in _verdict(verdict)]
    lines += [f"RULE      {finding}" for finding in outcome.findings]
    lines += [
        f"ABSENT    {name}: is not in the assembly, and nothing that claims say of it was asked for"
        for name in outcome.absent
    ]
    lines += refusals(outcome.refused)
    return "\n".join([*lines, "", summary(outcome)])


def refusals(refused: Iterable[Refused]) -> list[str]:
    """A line for each."""
    return [f"REFUSED   {refusal}" for refusal in refused]


def summary(outcome: Outcome) -> str:
    """What came out, in one line."""
    states = [verdict.state for verdict in outcome.verdicts]
    parts = [f"{states.count(state)} {state}" for state in State]
    parts += [f"{len(outcome.findings)} findings of known rules"] if outcome.findings else []
    return f"{len(states)} claims: {', '.join([*parts, f'{len(outcome.refused)} refused'])}."


def as_json(outcome: Outcome) -> str:
    """The same, and all facts, as one JSON object."""
    return json.dumps(
        {
            "code": outcome.code,
            "verdicts": [_verdict_json(verdict) for verdict in outcome.verdicts],
            "absent": outcome.absent,
            "facts": [_fact_json(fact) for fact in outcome.facts],
            "findings": [finding._asdict() for finding in outcome.findings],
            "refused": [
                {"where": refused.where, "what": refused.what, "template": refused.template}
                for refused in outcome.refused
            ],
        },
        indent=1,
    )


def where_from(fact: Fact) -> list[str]:
    """The resources that make a fact true, with the template of each."""
    return list(dict.fromkeys(f"{resource.name} ({resource.stack.where})" for resource in fact.evidence))


def _verdict(verdict: Verdict) -> Iterator[str]:
    broken = verdict.state is State.BROKEN
    yield f"{verdict.state.upper() if broken else verdict.state:<9} {verdict.claim.sentence}"
    if not broken:
        return
    yield f"          owner: {verdict.claim.owner}"
    for place, fact in verdict.extra:
        yield from _offence("not allowed", place, fact)
    for place, fact in verdict.unmeasured:
        yield from _offence("decided by no template, and no test is named that measured it", place, fact)
    for place, row in verdict.missing:
        yield f"          missing{_in(place)}: {row}"


def _offence(what: str, place: Place, fact: Fact) -> Iterator[str]:
    yield f"          {what}{_in(place)}: {fact}"
    for source in where_from(fact):
        yield f"            from {source}"
    for number, step in enumerate(fact.path, 1):
        yield f"            {number}. {step}"


def _in(place: Place) -> str:
    return f" in {place.name}" if place.name else ""


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "sentence": verdict.claim.sentence,
        "owner": verdict.claim.owner,
        "state": verdict.state,
        "measured_by": verdict.claim.measured_by,
        "held": [_placed_json(*held) for held in verdict.held],
        "extra": [_placed_json(*extra) for extra in verdict.extra],
        "unmeasured": [_placed_json(*unmeasured) for unmeasured in verdict.unmeasured],
        "missing": [{"environment": place.name, "row": row} for place, row in verdict.missing],
    }


def _placed_json(place: Place, fact: Fact) -> dict[str, Any]:
    return {"environment": place.name, **_fact_json(fact)}


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {
        "relation": fact.relation,
        **dict(zip(COLUMNS[fact.relation], fact.values, strict=True)),
        "evidence": [{"resource": resource.name, "template": resource.stack.where} for resource in fact.evidence],
        "path": list(fact.path),
    }
