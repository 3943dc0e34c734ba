"""Whether a text is, or holds, a secret: by the name it goes by, by its shape, or because it looks random.

Made for the values of templates, where most texts are names of other resources; the well-kept scanners of source code
read lines of files and need half a second to load.
"""

import math
import re
from collections import Counter
from functools import cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STRONG: Final = frozenset({"apikey", "passphrase", "passwd", "password", "secret"})
"""Words that make a secret wherever they stand, unless the name ends in what a secret has."""
_WEAK: Final = frozenset({"credential", "credentials", "pass", "pat", "psk", "pwd", "token"})
"""Words that make a secret at the end of a name."""
_BEFORE_KEY: Final = frozenset(
    {"access", "account", "api", "auth", "encryption", "license", "master", "private", "secret", "service", "shared",
     "signing", "ssh"}
)  # fmt: skip
_HARMLESS: Final = frozenset(
    {"age", "algorithm", "arn", "arns", "audience", "bucket", "count", "days", "enabled", "endpoint", "expiry",
     "field", "file", "header", "hours", "id", "ids", "issuer", "label", "length", "limit", "max", "min",
     "minutes", "mode", "name", "names", "path", "policy", "prefix", "provider", "region", "required", "rotation",
     "rounds", "seconds", "size", "source", "store", "template", "ttl", "type", "uri", "url", "validity",
     "version"}
)  # fmt: skip
"""Words that a name ends in if it is about a secret, and none itself."""
_NO_SECRET: Final = frozenset({("client", "token"), ("request", "token"), ("next", "token"), ("service", "token")})
_PLAIN: Final = re.compile(
    r"(?i)$|(true|false|null|none|required|optional|enabled|disabled|yes|no|on|off|seconds|minutes|hours|days)$|arn:|alias/|[a-z][a-z0-9+.-]*://|/|\$"
)
"""Beginnings of values that are no secret, whatever they are called."""

_CREDENTIALS: Final = re.compile(r"://[^\s/:@?#]*:([^\s/@]+)@")
_PLACEHOLDER: Final = re.compile(r"[$<{*]|⟪|%\(")
_SHAPES: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[oprsu]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{50})"
    r"|\bglpat-[0-9A-Za-z_-]{20}|\bnpm_[0-9A-Za-z]{36}|\bpypi-[0-9A-Za-z_-]{50}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10}|hooks\.slack\.com/services/T[0-9A-Z]+/"
    r"|\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{20}|\b[rs]k_live_[0-9A-Za-z]{16}|\bAIza[0-9A-Za-z_-]{35}"
    r"|\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"
    r"|\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\."
)
_MARKS: Final = (
    *("-----BEGIN", "AKIA", "ASIA", "ghp_", "gho_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-", "npm_", "pypi-"),
    *("xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "hooks.slack", "_live_", "AIza", "SG.", "eyJ"),
    *('"sk-', "'sk-", "=sk-", " sk-", ":sk-"),
)
"""One of these is in every shape: looked for first, for speed."""
_HINTS: Final = (
    *("pass", "pwd", "secret", "token", "credential", "psk", 'pat"', "apikey"),
    *('environment": ', 'variables": ', 'arguments": ', 'userdata": '),
)
_KEY_HINTS: Final = tuple(f"{before}{joint}key" for before in sorted(_BEFORE_KEY) for joint in ("", "_", "-"))
_ASSIGNED: Final = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key)\s*[=:]\s*[\"']?([^\s\"'$<{;,]{6,})")
_OPTION: Final = re.compile(
    r"(?i)--[\w-]*(?:password|passwd|secret|token|api-?key)[= ]+([^\s\"'$<{;,-][^\s\"'$<{;,]{5,})"
)
_RANDOM: Final = re.compile(r"[0-9A-Za-z+/_=-]{24,}$")
_HEXADECIMAL: Final = re.compile(r"(?:[0-9a-f]{32,}|[0-9A-F]{32,})$")
_NOT_RANDOM: Final = frozenset({"checksum", "commit", "digest", "hash", "id", "image", "revision", "sha", "version"})
_ENTROPY: Final = 4.0
"""Bits a character; words and names have less, random Base64 of this length has more."""


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name, however it is written: `dbPassword`, `DB_PASSWORD_2`."""
    return tuple(word.lower() for word in _WORD.findall(name) if not word.isdigit())


@cache
def is_called_secret(name: str) -> bool:
    """Whether something with this name is a secret, rather than something about one."""
    parts = words(name)
    if not parts or parts[-1] in _HARMLESS or parts[-2:] in _NO_SECRET:
        return False
    if parts[-1] in _WEAK or _STRONG.intersection(parts):
        return True
    return parts[-1] == "key" and len(parts) > 1 and parts[-2] in _BEFORE_KEY


def may_name_secret(text: str) -> bool:
    """Whether a resource's properties, as JSON, may have a name that `is_called_secret`, or variables."""
    lower = text.lower()
    return any(hint in lower for hint in _HINTS) or ("key" in lower and any(hint in lower for hint in _KEY_HINTS))


def is_plain(value: str) -> bool:
    """Whether a value says by itself that it is no secret: a flag, an ARN, a path, an address, a placeholder."""
    return bool(_PLAIN.match(value))


def holds_secret(value: str) -> bool:
    """Whether a text has the shape of a known kind of secret in it, or an address with a password."""
    if "://" in value and any(not _PLACEHOLDER.search(found) for found in _CREDENTIALS.findall(value)):
        return True
    text = f" {value}"
    return any(mark in text for mark in _MARKS) and bool(_SHAPES.search(text))


def assigns_secret(script: str) -> bool:
    """Whether a script sets a password to a text, or gives one to a command."""
    return any(not is_plain(found) for found in (*_ASSIGNED.findall(script), *_OPTION.findall(script)))


def looks_random(name: str, value: str) -> bool:
    """Whether the value of a variable is most likely a generated secret."""
    if _NOT_RANDOM.intersection(words(name)):
        return False
    if _HEXADECIMAL.match(value):
        return True
    mixed = any(map(str.islower, value)) and any(map(str.isupper, value)) and any(map(str.isdigit, value))
    return bool(_RANDOM.match(value)) and mixed and entropy(value) > _ENTROPY


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(share * math.log2(share) for share in (count / len(text) for count in Counter(text).values()))
