"""Whatever is about a person's words needs that person's key for their memories, and no other will do."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from ai_core.memory_key import HEADER, MOST_CHARACTERS
from chassis.sealing.key_service import context

from tests.ai_core.conftest import Process
from tests.ai_core.keys_along import KeysAlong, written
from tests.support.openai_server import OpenAIServer

NO_KEYS: dict[str, dict[str, str]] = {
    "none": {HEADER: ""},
    "no base64": {HEADER: "*" * 80},
    "a letter too many": {HEADER: "QUJDR"},
    "padding in the middle": {HEADER: "QUI=QUJD"},
    "of the URL's alphabet": {HEADER: "_-_-"},
    "too long": {HEADER: "QUJD" * (MOST_CHARACTERS // 4 + 1)},
    "nothing that was ever wrapped": written(b"x" * 60),
    "too short to be one": written(b"xyz"),
}


def asking(user: UUID) -> dict[str, tuple[str, str, Any]]:
    """All calls about the words of ``user``."""
    said = {"message_id": str(uuid4()), "sender": "user", "content": "words", "created_at": "2026-01-02T03:04:05Z"}
    memories = f"/v1/users/{user}/memories"
    return {
        "remember": ("PUT", memories, {"conversation_id": str(uuid4()), "messages": [said]}),
        "read": ("GET", memories, None),
        "renew": ("POST", f"{memories}/renewal", None),
        "reply": ("POST", "/v1/replies", {"user_id": str(user), "persona": "Gem", "history": [], "content": "Hello"}),
    }


CALLS = tuple(asking(UUID(int=0)))


def call(backend: httpx.Client, what: str, user: UUID, headers: dict[str, str]) -> httpx.Response:
    method, path, body = asking(user)[what]
    return backend.request(method, path, json=body, headers=headers)


def refused(answer: httpx.Response) -> None:
    """``answer`` says no more than that the key is not good."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/header/{HEADER}"]
    for sent in filter(None, (answer.request.headers.get(HEADER),)):
        assert sent not in answer.text


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("headers", NO_KEYS.values(), ids=NO_KEYS)
def test_without_a_key_that_is_one_nothing_is_done(
    backend: httpx.Client, model: OpenAIServer, what: str, headers: dict[str, str]
) -> None:
    user = uuid4()
    refused(call(backend, what, user, headers))
    assert model.requests == []
    assert backend.get(f"/v1/users/{user}/memories").json()["items"] == []


@pytest.mark.parametrize("what", CALLS)
def test_a_call_without_the_header_is_refused(backend: httpx.Client, what: str) -> None:
    method, path, body = asking(uuid4())[what]
    answer = backend.request(method, path, json=body, auth=None)
    refused(answer)
    assert HEADER not in answer.request.headers


@pytest.mark.parametrize("what", CALLS)
def test_the_key_of_another_person_or_purpose_is_refused_however_good_it_is(
    backend: httpx.Client, model: OpenAIServer, keys: KeysAlong, what: str
) -> None:
    alice, mallory = uuid4(), uuid4()
    for person in (alice, mallory):  # both keys are known to the process
        assert call(backend, "remember", person, {}).status_code == 204
    before = [backend.get(f"/v1/users/{person}/memories").json() for person in (alice, mallory)]
    changed = bytearray(keys.wrapped(alice))
    changed[-1] ^= 1
    for user, wrapped in (
        (alice, keys.wrapped(mallory)),
        (mallory, keys.wrapped(alice)),
        (alice, keys.service.generate(context("messages", alice))),
        (alice, bytes(changed)),
    ):
        refused(call(backend, what, user, written(wrapped)))
    assert model.requests == []
    assert before == [backend.get(f"/v1/users/{person}/memories").json() for person in (alice, mallory)]


def test_another_key_of_ones_own_opens_nothing_that_the_first_has_sealed(
    backend: httpx.Client, keys: KeysAlong, core: Process
) -> None:
    user = uuid4()
    assert call(backend, "remember", user, {}).status_code == 204
    other = written(keys.service.generate(context("memories", user)))
    assert call(backend, "read", user, other).json() == {"items": [], "next": None}
    assert len(call(backend, "read", user, {}).json()["items"]) == 1
    events = [json.loads(line) for line in core.log.read_text().splitlines()]
    assert str(user) in {event.get("user_id") for event in events if event["level"] in ("warning", "error")}


def test_to_forget_needs_no_key(backend: httpx.Client) -> None:
    user = uuid4()
    assert call(backend, "remember", user, {}).status_code == 204
    (memory,) = call(backend, "read", user, {}).json()["items"]
    for path in (
        f"/v1/users/{user}/memories/{memory['memory_id']}",
        f"/v1/users/{user}/conversations/{memory['conversation_id']}/memories",
        f"/v1/users/{user}/memories",
    ):
        assert backend.request("DELETE", path, auth=None).status_code == 204
    assert call(backend, "read", user, {}).json()["items"] == []
