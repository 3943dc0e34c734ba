"""What people said, and the search for it in what processes wrote."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus

if TYPE_CHECKING:
    import httpx  # a third of a second that most runs of one file need not spend

SAID = frozenset(
    {"content", "email", "username", "password", "old_password", "new_password", "access_token", "refresh_token"}
)
"""The members of requests and answers that are somebody's own."""
SHORTEST, LONGEST = 8, 24
"""Characters: what is shorter stands in a log by chance, and of what is longer PostgreSQL quotes only the beginning."""
DISTINCT = 5

words: set[bytes] = set()
"""The beginnings of all that was said in this process, in UTF-8."""

_TOKEN = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")
"""A signed JWT, whoever got it."""
_REFUSED = re.compile(rb'": "refused"')
"""What ``chassis.logs`` writes in the place of a text that somebody passed it."""


def remember(text: str) -> None:
    """Search for ``text`` at the end of the run."""
    word = text[:LONGEST]
    if len(word) >= SHORTEST and len(set(word)) >= DISTINCT:
        words.add(word.encode("utf-8", "surrogatepass"))


def remember_all(node: Any, name: str = "") -> None:
    """Remember whatever is somebody's own in a JSON value."""
    if isinstance(node, dict):
        for key, value in node.items():  # pyright: ignore[reportUnknownVariableType] - any JSON
            remember_all(value, str(key))  # pyright: ignore[reportUnknownArgumentType] - any JSON
    elif isinstance(node, list):
        for value in node:  # pyright: ignore[reportUnknownVariableType] - any JSON
            remember_all(value, name)
    elif isinstance(node, str) and name in SAID:
        remember(node)


def remember_sent(headers: Mapping[str, str], body: bytes = b"") -> None:
    """Remember what a request says."""
    remember(headers.get("Authorization", "").removeprefix("Bearer "))
    for name in ("Idempotency-Key", "Memory-Key"):
        remember(headers.get(name, ""))
    if headers.get("Content-Type") == "application/x-www-form-urlencoded":
        remember_all(dict(parse_qsl(body.decode(errors="replace"))))
    else:
        remember_json(body)


def remember_request(request: "httpx.Request") -> None:
    """An event hook of a client: all that it says."""
    # What is sent in pieces stays in pieces.
    remember_sent(request.headers, request.read() if "Content-Length" in request.headers else b"")


def remember_response(response: "httpx.Response") -> None:
    """An event hook of a client: all that it is told."""
    if response.headers.get("Content-Type") == "application/json":
        remember_json(response.read())


HOOKS: dict[str, list[Callable[..., Any]]] = {"request": [remember_request], "response": [remember_response]}
"""The event hooks of a client whose words are searched for."""


def remember_json(body: bytes) -> None:
    """Remember whatever is somebody's own in a body, if it is JSON."""
    try:
        remember_all(json.loads(body))
    except (ValueError, RecursionError):
        return  # no JSON, as some tests want it


def encodings(word: bytes) -> dict[str, set[bytes]]:
    """How ``word`` may stand in a log, by the name of the encoding."""
    text = word.decode("utf-8", "replace")
    shifted: set[bytes] = set()
    for shift, alphabet in product(range(3), (base64.b64encode, base64.urlsafe_b64encode)):
        # The first and the last character depend on the neighbours.
        begin, end = -(-shift * 8 // 6), (shift + len(word)) * 8 // 6
        shifted.add(alphabet(b"\0" * shift + word)[begin:end])
    return {
        "raw": {word},
        "escaped": {form.encode() for form in (json.dumps(text)[1:-1], repr(text)[1:-1], ascii(text)[1:-1])} - {word},
        "url": {quote(word).encode(), quote(word, safe="").encode(), quote_plus(word).encode()} - {word},
        "hex": {word.hex().encode(), word.hex().upper().encode()},
        "base64": shifted,
    }


class Search:
    """Looks for all ``words`` in all encodings at once: whether what begins here is one of them."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._by_head: dict[bytes, list[tuple[bytes, str, bytes]]] = {}
        for word in words:
            for name, forms in encodings(word).items():
                for form in forms:
                    self._by_head.setdefault(form[:SHORTEST], []).append((form, name, word))

    def find(self, text: bytes) -> Iterator[tuple[str, bytes]]:
        """Encoding and word of each find; a token is found by its shape, its word is empty."""
        heads = self._by_head
        for at in range(len(text) - SHORTEST + 1):
            if candidates := heads.get(text[at : at + SHORTEST]):
                yield from ((name, word) for form, name, word in candidates if text.startswith(form, at))
        if _TOKEN.search(text):
            yield "token", b""
        if _REFUSED.search(text):
            yield "text that a log refused", b""
