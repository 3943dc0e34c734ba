"""All that the proof knows of an assembly: its facts, the verdicts on claims, what known rules find, what was refused.

Every part is asked even if another one fails, so that one run names everything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from infra.assurance.claims import Claims, State, Verdict, judge, places_of, read_claims
from infra.assurance.facts import Fact, distinct
from infra.assurance.model.model import Model, read_models
from infra.assurance.refusal import Refusals, Refused

if TYPE_CHECKING:
    from infra.assurance.register import Decision
    from infra.assurance.rules import Finding

HOLDS: Final = 0
BROKEN: Final = 1
REFUSED: Final = 2

Answer = TypeVar("Answer")


class Outcome:
    """Of a check. `code` is what its process ends with: what was refused counts before what is broken."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.verdicts: list[Verdict] = []
        self.findings: list[Finding] = []
        self.refused: list[Refused] = []
        self.absent: list[str] = []
        """Environments of which the assembly has nothing, and stacks that it lacks: of them, nothing was asked for."""

    @property
    def broken(self) -> list[Verdict]:
        """The verdicts on claims that do not hold."""
        return [verdict for verdict in self.verdicts if verdict.state is State.BROKEN]

    @property
    def code(self) -> int:
        """`HOLDS`, `BROKEN` or `REFUSED`."""
        if self.refused:
            return REFUSED
        return BROKEN if self.broken or self.findings else HOLDS


def check(folder: Path, claims_file: Path, *, known_rules: bool) -> Outcome:
    """Judge the assembly in a folder by a file of claims, and by known rules if they are wanted."""
    refusals = Refusals()
    outcome = Outcome()
    claims = _answer(refusals, str(claims_file), lambda: read_claims(claims_file), None)
    models = models_of(folder, refusals)
    outcome.facts = distinct(fact for model in models for fact in _facts_of(model, refusals))
    if models and claims:
        _answer(refusals, str(claims_file), lambda: _judge(outcome, claims, models[0]), None)
    if models and known_rules:
        outcome.findings = _answer(refusals, "known rules", lambda: _findings(folder, refusals), [])
    outcome.refused = refused_by(models, refusals)
    return outcome


def models_of(folder: Path, refusals: Refusals) -> tuple[Model, ...]:
    """The models of the assembly in a folder; none if it cannot be read, which is then among the refusals."""
    return _answer(refusals, str(folder), lambda: read_models(folder), ())


def refused_by(models: Iterable[Model], refusals: Refusals) -> list[Refused]:
    """Everything that was refused while the models were read and asked, each once."""
    for model in models:
        for refused in model.refusals:
            refusals.add(refused)
    return list(refusals)


def reachability_of(model: Model, refusals: Refusals) -> list[Fact]:
    """Who reaches whom in a model."""
    return _answer(refusals, "reachability", lambda: _reachability(model), [])


def _facts_of(model: Model, refusals: Refusals) -> list[Fact]:
    reaches = reachability_of(model, refusals)
    facts = list(reaches)
    for name, part in _PARTS.items():
        facts += _answer(refusals, name, lambda part=part: part(model, reaches), [])
    for difference in _answer(refusals, "second opinion", lambda: _disagreements(model, reaches), []):
        refusals.add(Refused(difference, where="second opinion"))
    return facts


# Each part is imported when it is asked: a command loads what it needs, and one that cannot be loaded is refused.


def _reachability(model: Model) -> list[Fact]:
    from infra.assurance.network.graph import reachability  # noqa: PLC0415  # loaded when it is asked for

    return reachability(model)


def _access(model: Model, _: Sequence[Fact]) -> list[Fact]:
    from infra.assurance.access.facts import access, broad, signing  # noqa: PLC0415  # loaded when it is asked for

    return [*access(model), *broad(model), *signing(model)]


def _transport(model: Model, reaches: Sequence[Fact]) -> list[Fact]:
    from infra.assurance.transport.hops import hops  # noqa: PLC0415  # loaded when it is asked for

    return hops(model, reaches)


def _rest(model: Model, _: Sequence[Fact]) -> list[Fact]:
    from infra.assurance.transport.rest import at_rest  # noqa: PLC0415  # loaded when it is asked for

    return at_rest(model)


def _posture(model: Model, _: Sequence[Fact]) -> list[Fact]:
    from infra.assurance.transport.posture import postures  # noqa: PLC0415  # loaded when it is asked for

    return postures(model)


def _disagreements(model: Model, reaches: Sequence[Fact]) -> list[str]:
    from infra.assurance.second_opinion.solver import disagreements  # noqa: PLC0415  # loaded when it is asked for

    return disagreements(model, reaches)


def _findings(folder: Path, refusals: Refusals) -> "list[Finding]":
    from infra.assurance.rules import findings  # noqa: PLC0415  # loaded when it is asked for

    return findings(folder, refusals)


_PARTS: Final[Mapping[str, Callable[[Model, Sequence[Fact]], list[Fact]]]] = {
    "access": _access,
    "transport": _transport,
    "encryption at rest": _rest,
    "posture": _posture,
}


def _judge(outcome: Outcome, claims: Claims, model: Model) -> None:
    places = places_of(model, claims)
    if claims.environments and not any(place.name for place in places):
        stages = ", ".join(claims.environments.values())
        raise Refused(
            f"speaks of the stages {stages}, and the assembly has none of them: name other claims with --claims",
            where=str(claims.file),
        )
    there = {place.name for place in places}
    lacking = dict.fromkeys(stack for place in places if place.name for stack in place.lacks)
    outcome.absent = [*(name for name in claims.environments if name not in there), *lacking]
    outcome.verdicts = judge(claims, outcome.facts, places)


def accepted(refusals: Refusals) -> "list[Decision]":
    """The register of what is accepted of known rules: each row with its reason, owner and last day."""
    from infra.assurance.register import read_decisions  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.rules.accepted import REGISTER  # noqa: PLC0415  # loaded when it is asked for

    rows = {"rules": list, "resources": list}
    return _answer(refusals, str(REGISTER), lambda: read_decisions(REGISTER, rows) if REGISTER.is_file() else [], [])


def _answer(refusals: Refusals, where: str, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What is asked, or else a refusal: an error of the proof itself is one, too, as it leaves facts unknown."""
    try:
        return ask()
    except Refused as refused:
        refusals.add(refused)
    except Exception as error:  # noqa: BLE001  # whatever it is, nothing may pass because of it
        from traceback import extract_tb  # noqa: PLC0415  # loaded when it is needed

        frame = extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error}, in {frame.name} ({Path(frame.filename).name}:{frame.lineno})"
        refusals.add(Refused(f"is not understood: {what}", where=where))
    return otherwise
