"""Passwords that are tried first: those that have leaked often, and those made of the words of this place.

Both are asked for by NIST SP 800-63B, 3.1.1.2, and OWASP ASVS 5.0, V6.2. Nothing else is demanded of the characters.
"""

import re
from functools import cache
from importlib.resources import files

LEAST_LENGTH = 8
WORDS = ("abby", "career", "coach", "sanctum")
"""Who attacks this service tries these. Gem is left out: three letters are in too many other words."""

_WORDS = re.compile("|".join(WORDS))


@cache
def leaked() -> frozenset[str]:
    """The passwords of 8 characters and more among the 30,000 that leaks hold most often, as zxcvbn 4.5.0 lists them.

    A list of ours, because the services cannot reach a service that knows more.
    """
    return frozenset(files("backend.auth").joinpath("leaked_passwords.txt").read_text().split())


def not_guessable(password: str) -> str:
    """``password`` as it is.

    Raises:
        ValueError: it is one that is tried first, whatever its case.
    """
    folded = password.casefold()
    if folded in leaked():
        raise ValueError("is among the passwords that are tried first; take another")
    if len(_WORDS.sub("", folded)) < LEAST_LENGTH:
        raise ValueError(f"needs {LEAST_LENGTH} characters beside the words {', '.join(WORDS)}")
    return password
