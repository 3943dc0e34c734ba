"""What IAM answers: policies as they are written, read in the few ways that these policies use."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from tests.infra.template import Json, as_list

Context = Mapping[str, str]


def allows(document: Json, action: str, resource: str = "*", context: Context | None = None) -> bool:
    """Whether a policy alone allows ``action`` on ``resource``: something allows it and nothing denies it.

    That of a key or bucket lets everybody of its account, or everybody, and says whom by conditions.
    """
    effects = {s["Effect"] for s in document["Statement"] if _applies(s, action, resource, context or {})}
    return effects == {"Allow"}


def _applies(statement: Json, action: str, resource: str, context: Context) -> bool:
    assert set(statement) <= {"Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"}
    if not any(fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement["Action"])):
        return False
    if "NotResource" in statement:
        at = not any(fnmatchcase(resource, pattern) for pattern in as_list(statement["NotResource"]))
    else:
        at = any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
    conditions = [(o, k, v) for o, test in statement.get("Condition", {}).items() for k, v in test.items()]
    return at and all(_holds(operator, context.get(key), as_list(value)) for operator, key, value in conditions)


def _holds(operator: str, given: str | None, values: Sequence[str]) -> bool:
    """A key that a request has not fails every test but a negative one (IAM guide, "Condition operators")."""
    match operator:
        case "StringEquals" | "ArnEquals":
            return given in values
        case "StringNotEquals" | "ArnNotEquals":
            return given not in values
        case _:
            raise NotImplementedError(operator)
