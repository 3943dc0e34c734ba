"""Every route with every id of the owner's, asked for by everybody who is not the owner."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.callers import NOBODIES, Scene, Shown
from tests.e2e.matrix import METHODS, Attempt, Known, Unknown, attempts
from tests.support.person import API, Person, assert_problem
from tests.support.running import Sanctum
from tests.support.waiting import eventually

PUBLIC = {
    ("get", "/healthz"), ("get", "/readyz"), ("post", f"{API}/auth/register"), ("post", f"{API}/auth/token"),
    ("post", f"{API}/auth/refresh"), ("post", f"{API}/auth/logout"), ("get", f"{API}/erasures/{{erasure_id}}"),
}  # fmt: skip
"""The routes that ask for no access token, by design: before signing in, and after an erasure, there is none."""
NOT_SECRET = {"persona", "sender", "status"}
"""Members of an export that are the same for many."""


@dataclass(frozen=True)
class Things:
    """The ids of what one person has."""

    conversation: str
    conversations_cursor: str
    messages_cursor: str
    memory: str
    memories_cursor: str
    key: str

    @classmethod
    def of(cls, person: Person, words: str) -> "Things":
        """Made by saying ``words``."""
        person.converse()
        conversation, key = person.converse(), f"key-{uuid4()}"
        assert person.say(conversation, words, idempotency_key=key).status_code == 200
        listed = person.call("GET", "/conversations", params={"limit": 1}).json()
        read = person.call("GET", f"/conversations/{conversation}", params={"limit": 1}).json()
        remembered = eventually(lambda: _remembered(person))
        memory = remembered["items"][0]["memory_id"]
        return cls(conversation, listed["next"], read["next"], memory, remembered["next"], key)


def _remembered(person: Person) -> dict[str, Any] | None:
    """The first page of what is remembered of somebody, as soon as there is a second."""
    page = person.call("GET", "/users/me/memories", params={"limit": 1}).json()
    return page if page["next"] else None


NOTHING = Things(str(uuid4()), "none", "none", str(uuid4()), "none", "none")


@pytest.fixture
def scene(sanctum: Sanctum, newcomer: Callable[[], Person]) -> Iterator[Scene]:
    owner = Person(sanctum.url, sanctum.ca)
    owner.password = "the owner's own password"  # all others have the same one
    erasure = newcomer().call("DELETE", "/users/me").json()["erasure_id"]
    yield Scene(sanctum, owner.register(), newcomer, erasure)
    owner.http.close()


@pytest.fixture
def document(anonymous: Person) -> dict[str, Any]:
    return anonymous.http.get("/openapi.json").json()


def _known(scene: Scene, theirs: Things, own: Things, shown: Shown) -> Known:
    def of(whose: Things, path: str) -> str:
        if path.endswith("/memories"):
            return whose.memories_cursor
        return whose.messages_cursor if "conversation_id" in path else whose.conversations_cursor

    return Known(
        ids={
            "conversation_id": lambda _path, owners: (theirs if owners else own).conversation,
            "memory_id": lambda _path, owners: (theirs if owners else own).memory,
            "cursor": lambda path, owners: of(theirs if owners else own, path),
            "idempotency-key": lambda _path, owners: theirs.key if owners else f"key-{uuid4()}",
            # Accounts are named by nothing but their e-mail.
            "email": lambda _path, _owners: scene.owner.email,
            "username": lambda _path, _owners: scene.owner.email,
        },
        values={
            "erasure_id": scene.erasure,
            "limit": 5,
            "persona": "Abby",
            "content": "These words are not the owner's.",
            "password": shown.password,
            "old_password": shown.password,
            "new_password": shown.password,
            "refresh_token": shown.refresh,
            "grant_type": "password",
            "scope": "",
            "client_id": None,
            "client_secret": None,
        },
    )


def _secrets(node: Any, name: str = "") -> set[str]:
    """All texts of an export, as they stand in JSON."""
    if isinstance(node, dict):
        return set[str]().union(*(_secrets(value, key) for key, value in node.items()))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any JSON
    if isinstance(node, list):
        return set[str]().union(*(_secrets(value, name) for value in node))  # pyright: ignore[reportUnknownVariableType] - any JSON
    return {json.dumps(node)} if isinstance(node, str) and name not in NOT_SECRET else set()


def _export(owner: Person) -> dict[str, Any]:
    answer = owner.call("GET", "/users/me/export")
    assert answer.status_code == 200
    return answer.json()


def _ask(person: Person, shown: Shown, attempt: Attempt) -> httpx.Response:
    headers = attempt.headers | ({"Authorization": f"Bearer {shown.access}"} if shown.access else {})
    return person.http.request(
        attempt.method, attempt.path, params=attempt.params, headers=headers, json=attempt.json, data=attempt.data
    )


def _check(answer: httpx.Response, attempt: Attempt, secrets: set[str], *, lives: bool) -> None:
    """The answer is the documented one, and holds nothing of the owner."""
    told = f"{attempt.method} {attempt.path} with the owner's {sorted(attempt.owners)}: {answer.status_code}"
    assert answer.status_code in attempt.expected(lives=lives), told
    if answer.status_code >= 400:
        assert_problem(answer, answer.status_code)  # a 401 has its challenge
    # A problem names the path that was asked for: what the caller sent is no secret from them.
    text = answer.text.replace(attempt.path, "")
    bare = {secret.strip('"') for secret in secrets if secret.count("-") >= 4 or "@" in secret}
    assert not [secret for secret in secrets | bare if secret in text], told


def _walk(scene: Scene, document: dict[str, Any], show: Callable[[], tuple[Things, Shown]], *, lives: bool) -> None:
    """Ask for everything; each time with what ``show`` gives: the caller's own things, and what they can show."""
    theirs = Things.of(scene.owner, f"What I tell nobody is {uuid4()}.")
    own, shown = show()
    before = _export(scene.owner)
    secrets = _secrets(before) | {json.dumps(scene.owner.tokens[kind]) for kind in ("access_token", "refresh_token")}
    number = 0
    while number < len(asked := list(attempts(document, _known(scene, theirs, own, shown)))):
        answer = _ask(scene.owner, shown, asked[number])
        _check(answer, asked[number], secrets, lives=lives)
        if lives:
            own, shown = show()
        number += 1
    assert number >= len(document["paths"])
    assert _export(scene.owner) == before


@pytest.mark.parametrize("kind", NOBODIES)
def test_whoever_has_no_living_sign_in_gets_and_changes_nothing(
    scene: Scene, document: dict[str, Any], kind: str
) -> None:
    shown: list[Shown] = []

    def show() -> tuple[Things, Shown]:
        if not shown:
            shown.append(NOBODIES[kind](scene))
        return NOTHING, shown[0]

    _walk(scene, document, show, lives=False)


def test_another_person_gets_and_changes_only_what_is_theirs(scene: Scene, document: dict[str, Any]) -> None:
    people: list[tuple[Person, Things]] = []

    def show() -> tuple[Things, Shown]:
        # What was asked last may have ended the sign-in, or the account.
        if not people or people[-1][0].sign_in().status_code != 200:
            person = scene.newcomer()
            people.append((person, Things.of(person, "Nothing of mine.")))
        person, own = people[-1]
        return own, scene.shown_by(person)

    _walk(scene, document, show, lives=True)
    assert len(people) == 2  # one was erased on the way


def test_a_method_that_is_not_documented_is_not_there(alice: Person, document: dict[str, Any]) -> None:
    for template, operations in document["paths"].items():
        path = re.sub(r"\{\w+\}", lambda _: str(uuid4()), template)
        for method in METHODS:
            if method not in operations:
                answer = alice.http.request(method, path, headers={"Authorization": alice.tokens["access_token"]})
                assert answer.status_code == 405, f"{method} {path}"
                assert answer.headers["allow"] == ", ".join(name.upper() for name in METHODS if name in operations)


def test_only_routes_that_are_public_by_design_ask_for_no_token(document: dict[str, Any]) -> None:
    found = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not operation.get("security")
    }
    assert found == PUBLIC


@pytest.mark.parametrize(
    ("where", "addition"),
    [
        ("parameters", [{"in": "path", "name": "diary_id"}]),
        ("parameters", [{"in": "query", "name": "owner"}]),
        ("parameters", [{"in": "header", "name": "X-On-Behalf-Of"}]),
        ("parameters", [{"in": "cookie", "name": "cursor"}]),
        ("requestBody", {"content": {"application/json": {"schema": {"properties": {"diary_id": {}}}}}}),
        ("requestBody", {"content": {"application/json": {"schema": {"properties": {"content": {"$ref": "#"}}}}}}),
        ("requestBody", {"content": {"application/json": {"schema": {"type": "array"}}}}),
        ("requestBody", {"content": {"multipart/form-data": {"schema": {"properties": {"content": {}}}}}}),
    ],
)
def test_a_route_whose_request_cannot_be_made_fails_the_matrix(
    scene: Scene, document: dict[str, Any], where: str, addition: Any
) -> None:
    known = _known(scene, NOTHING, NOTHING, Shown())
    new = deepcopy(document)
    new["paths"][f"{API}/diaries"] = {"post": {"responses": {"201": {}}}}
    whole = len(list(attempts(document, known)))
    assert len(list(attempts(new, known))) == whole + 1  # a route without inputs is in the matrix by itself
    new["paths"][f"{API}/diaries"]["post"][where] = addition
    with pytest.raises(Unknown, match="POST /api/v1/diaries: the matrix"):
        list(attempts(new, known))
