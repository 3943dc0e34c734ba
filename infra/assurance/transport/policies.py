"""Whether a resource policy refuses whoever does not come over TLS, in whichever way it is written.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport>,
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#example-object-tls-version>.
"""

import json
import math
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final, TypeAlias, cast

from infra.assurance.model.assembly import Json
from infra.assurance.transport.tls import NONE, TLS12, TLS13
from infra.assurance.transport.values import listed, tables, texts

_SECURE: Final = "aws:securetransport"
_VERSION: Final = "s3:tlsversion"
_Judge: TypeAlias = Callable[[Json], bool]

# Operators under which a denial meets a request whose `aws:SecureTransport` is false.
_MEETS_FALSE: Final = frozenset({"bool", "stringequals", "stringequalsignorecase", "stringlike"})
_MEETS_NOT_TRUE: Final = frozenset({"stringnotequals", "stringnotequalsignorecase", "stringnotlike"})
_BELOW: Final = {"numericlessthan": 0.0, "numericlessthanequals": 0.1}
"""Operators that meet lower versions, with what their bound lies below the first version they spare."""


def statements(document: Json) -> list[dict[str, Json]]:
    """The statements of a policy, which may be given as JSON text."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return []
    return tables(cast("dict[str, Json]", document).get("Statement")) if isinstance(document, dict) else []


def refuses_plain_text(document: Json, actions: Sequence[str], resources: Sequence[str]) -> bool:
    """Whether everybody is denied these actions on these resources without TLS.

    An action or a resource with `*` in it means all of these; denials that only together cover it are not added up.
    """
    return _all_denied(document, actions, resources, _meets_plain_text)


def lowest_admitted(document: Json, actions: Sequence[str], resources: Sequence[str]) -> str:
    """The lowest TLS that a bucket's policy admits: `none`, `any TLS`, or a version."""
    if not refuses_plain_text(document, actions, resources):
        return NONE
    for wanted, named in ((1.3, TLS13), (1.2, TLS12)):
        if _all_denied(document, actions, resources, lambda condition, below=wanted: _meets_below(condition, below)):
            return named
    return "any TLS"


def _all_denied(document: Json, actions: Sequence[str], resources: Sequence[str], meets: _Judge) -> bool:
    denials = [each for each in statements(document) if _denies_everybody(each) and meets(each.get("Condition"))]
    return all(
        any(_covers(denial, "Action", action) and _covers(denial, "Resource", resource) for denial in denials)
        for action in actions
        for resource in resources
    )


def _denies_everybody(statement: dict[str, Json]) -> bool:
    principal = statement.get("Principal")
    named = texts(cast("dict[str, Json]", principal).get("AWS")) if isinstance(principal, dict) else texts(principal)
    return statement.get("Effect") == "Deny" and "*" in named


def _covers(statement: dict[str, Json], element: str, wanted: str) -> bool:
    if f"Not{element}" in statement:
        return False
    if element not in statement:
        return element == "Resource"  # a policy may leave out the one resource that it is attached to
    patterns = [pattern.replace("[", "[[]") for pattern in texts(statement[element])]
    return any(fnmatchcase(wanted.lower(), pattern.lower()) for pattern in patterns)


def _tests(condition: Json) -> list[tuple[str, str, list[str]]]:
    """A condition block as (operator, key, values); all of them must hold for the statement to be met."""
    found: list[tuple[str, str, list[str]]] = []
    if isinstance(condition, dict):
        for operator, keys in cast("dict[str, Json]", condition).items():
            if isinstance(keys, dict):
                table = cast("dict[str, Json]", keys)
                found += [
                    (operator.lower(), key.lower(), [str(value).lower() for value in listed(values)])
                    for key, values in table.items()
                ]
    return found


def _meets_plain_text(condition: Json) -> bool:
    """Whether the block holds for every request in plain text, which has no version of TLS."""
    for operator, key, values in _tests(condition):
        bare, optional = operator.removesuffix("ifexists"), operator.endswith("ifexists")
        if key == _SECURE:
            if bare in _MEETS_FALSE and "false" in values:
                continue
            if bare in _MEETS_NOT_TRUE and values == ["true"]:
                continue
        if key == _VERSION and ((optional and bare in _BELOW) or (bare == "null" and "true" in values)):
            continue
        return False
    return True


def _meets_below(condition: Json, wanted: float) -> bool:
    """Whether the block holds for every request over a version of TLS lower than the wanted one."""
    for operator, key, values in _tests(condition):
        bare = operator.removesuffix("ifexists")
        if key != _VERSION or bare not in _BELOW:
            return False
        bounds = [_number(value) + _BELOW[bare] for value in values]
        if not any(bound > wanted or math.isclose(bound, wanted) for bound in bounds):
            return False
    return True


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -math.inf
