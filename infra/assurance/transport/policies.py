"""Whether a resource policy refuses whoever does not come over TLS, in whichever way it is written.

Each kind of request (in plain text, over each version of TLS) is put to the policy's denials:
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#example-object-tls-version>.
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, cast

from infra.assurance.model.assembly import Json
from infra.assurance.transport.tls import NONE, TLS11, TLS12, TLS13
from infra.assurance.transport.values import listed, tables, texts

ANY_TLS: Final = "any TLS"
NOTHING: Final = "nothing is let in"

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "equals": operator.eq,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
}
_Request = Mapping[str, str]
_PLAIN: Final[_Request] = {"aws:securetransport": "false"}
_REQUESTS: Final[Mapping[str, _Request]] = {
    NONE: _PLAIN,
    ANY_TLS: {"aws:securetransport": "true", "s3:tlsversion": "1.0"},
    TLS11: {"aws:securetransport": "true", "s3:tlsversion": "1.1"},
    TLS12: {"aws:securetransport": "true", "s3:tlsversion": "1.2"},
    TLS13: {"aws:securetransport": "true", "s3:tlsversion": "1.3"},
}
"""What the policy admits if it lets this request in, the weakest first. A request in plain text has no TLS version."""


WEAKEST_FIRST: Final = (*_REQUESTS, NOTHING)


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
    return _refuses(_denials(document), _PLAIN, actions, resources)


def lowest_admitted(document: Json, actions: Sequence[str], resources: Sequence[str]) -> str:
    """The lowest TLS that a bucket's policy admits: `none`, `any TLS`, or a version."""
    denials = _denials(document)
    admitted = (named for named, request in _REQUESTS.items() if not _refuses(denials, request, actions, resources))
    return next(admitted, NOTHING)


def _denials(document: Json) -> list[dict[str, Json]]:
    return [statement for statement in statements(document) if _denies_everybody(statement)]


def _refuses(
    denials: list[dict[str, Json]], request: _Request, actions: Sequence[str], resources: Sequence[str]
) -> bool:
    meeting = [denial for denial in denials if _meets(denial.get("Condition"), request)]
    return all(
        any(_covers(denial, "Action", action) and _covers(denial, "Resource", resource) for denial in meeting)
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


def _meets(condition: Json, request: _Request) -> bool:
    """Whether a condition block surely holds for every request of this kind: all its tests must."""
    if not isinstance(condition, dict):
        return condition is None
    for test, keys in cast("dict[str, Json]", condition).items():
        if not isinstance(keys, dict):
            return False
        for key, values in cast("dict[str, Json]", keys).items():
            wanted = [str(value).lower() for value in listed(values)]
            if not _holds(test.lower(), key.lower(), wanted, request):
                return False
    return True


def _holds(test: str, key: str, wanted: list[str], request: _Request) -> bool:
    if key not in {"aws:securetransport", "s3:tlsversion"}:
        return False  # another part of the request decides
    actual = request.get(key)
    bare = test.removesuffix("ifexists")
    if bare == "null":
        return ("true" in wanted) if actual is None else ("false" in wanted)
    if actual is None:
        return bare != test or "not" in bare
    if bare.startswith("numeric"):
        return _holds_by_number(bare.removeprefix("numeric"), actual, wanted)
    matches = any(fnmatchcase(actual, each) if "like" in bare else actual == each for each in wanted)
    if bare in {"bool", "stringequals", "stringequalsignorecase", "stringlike"}:
        return matches
    return bare in {"stringnotequals", "stringnotequalsignorecase", "stringnotlike"} and not matches


def _holds_by_number(comparison: str, actual: str, wanted: list[str]) -> bool:
    try:
        number, bounds = float(actual), [float(each) for each in wanted]
    except ValueError:
        return False
    if comparison == "notequals":
        return number not in bounds
    compare = _COMPARISONS.get(comparison)
    return compare is not None and any(compare(number, bound) for bound in bounds)
