"""What is not known takes access from nobody: the less is known, the more is allowed."""

from dataclasses import replace
from random import Random
from typing import Any, Final

from infra.assurance.access.policies.patterns import anything
from tests.infra.assurance.access.policies.cases import KEYS, Case, Cases

CASES: Final = 2000
_DERIVED: Final = ("aws:Principal", "aws:SourceArn")
_BLURRED: Final = frozenset({"Resource", "NotResource", "AWS", *KEYS})


def _forgotten(case: Case, random: Random) -> Case:
    """The same request, of which some keys are not known any more: of those that do not follow from who asks."""
    kept = frozenset(key for key in case.known if key.startswith(_DERIVED) or random.random() < 0.5)
    return replace(case, known=kept)


def _blurred(value: Any, random: Random, *, here: bool = False) -> Any:
    """A policy in which parts of resources, principals and conditions are what only a deployment knows."""
    if isinstance(value, dict):
        return {key: _blurred(inner, random, here=key in _BLURRED) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_blurred(inner, random, here=here) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    if not here or not isinstance(value, str) or random.random() < 0.5:
        return value
    if "${" in value:  # nothing is unknown about half a variable
        return anything(value)
    start, end = sorted((random.randint(0, len(value)), random.randint(0, len(value))))
    return value[:start] + anything(value[start:end]) + value[end:]


def test_a_key_that_is_not_known_takes_access_from_nobody() -> None:
    random, cases = Random(3), Cases(3)  # noqa: S311 - the same cases in every run
    allowed = [case for case in (cases.case() for _ in range(CASES)) if case.decided()]
    assert [case for case in allowed if not _forgotten(case, random).decided()] == []


def test_a_policy_of_which_a_part_is_not_known_takes_access_from_nobody() -> None:
    random, cases = Random(5), Cases(5)  # noqa: S311 - the same cases in every run
    allowed = [case for case in (cases.case() for _ in range(CASES)) if case.decided()]
    taken: list[Case] = []
    for case in allowed:
        blurred = replace(
            case,
            identity=_blurred(case.identity, random),
            boundary=_blurred(case.boundary, random),
            organisation=_blurred(case.organisation, random),
            resource_policy=_blurred(case.resource_policy, random),
        )
        if not blurred.decided():
            taken.append(case)
    assert taken == []
