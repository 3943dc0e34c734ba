"""Policy variables: `${aws:username}` in a resource or a condition is what the request's context says.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>. Documents of version 2008-10-17
have none: there, `${` is plain text.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from infra.assurance.access.policies.patterns import anything, literal, sealed

Lookup: TypeAlias = Callable[[str], tuple[str, ...] | None]
"""What a request says of a key, in lower case: its values, none at all if it lacks the key, None if that is unknown."""

_VARIABLE: Final = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)')?\s*\}")
_ESCAPES: Final = frozenset("*?$")


def substitute(text: str, lookup: Lookup) -> str | None:
    """The text with its variables replaced; an unknown key's by an unknown part.

    None if the request does not have a key and the policy no default for it: then the text matches nothing.
    """
    text = sealed(text)  # what is not known is no variable, whatever its description says
    if "${" not in text:
        return text
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, default = found.group(1), found.group(2)
        if name in _ESCAPES:
            return literal(name)
        values = lookup(name.lower())
        if values is None or len(values) > 1:
            return anything(name)
        if values:
            return literal(values[0])
        if default is None:
            missing = True
        return literal(default or "")

    replaced = _VARIABLE.sub(value, text)
    return None if missing else replaced
