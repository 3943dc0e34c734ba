"""Mallory's calls are the backend's, with her id and her key, and whatever a person can put into them: ids, cursors,
words. None of it reaches what is Alice's, wherever memories are kept.
"""

import json
import ssl
from collections.abc import Iterator
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from ai_core.settings import MemorySettings

from local.ports import free_port
from tests.ai_core.conftest import Process, as_backend, started
from tests.ai_core.crossing import NAMING, NO_VALUES, NOBODY, WRITTEN, One, crossing, cursors, injecting
from tests.ai_core.keys_along import KeysAlong
from tests.support.openai_server import OpenAIServer, saying

SECRET = "The code word is ultramarine."
OWN = "My own word is vermilion."
REFUSED = {404, 405, 422}
Pair = tuple[One, One]


@pytest.fixture(scope="session")
def on_opensearch(
    environment: dict[str, str], opensearch_over_mtls: MemorySettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """An AI core whose memories are in OpenSearch."""
    store = {name.upper(): str(value) for name, value in opensearch_over_mtls.model_dump().items()}
    log = tmp_path_factory.mktemp("on_opensearch") / "log"
    with started(environment | store | {"PORT": str(free_port())}, log) as process:
        yield process


@pytest.fixture(params=["core", pytest.param("on_opensearch", marks=pytest.mark.xdist_group("opensearch"))])
def backend(request: pytest.FixtureRequest, tls: ssl.SSLContext, keys: KeysAlong) -> Iterator[httpx.Client]:
    """The backend of an AI core, over each kind of store."""
    with as_backend(request.getfixturevalue(request.param), tls, keys) as client:
        yield client


def message(content: str, **other: Any) -> dict[str, Any]:
    return {"message_id": str(uuid4()), "sender": "user", "content": content, "created_at": WRITTEN, **other}


def remembering(backend: httpx.Client, words: str) -> One:
    user, conversation, said = uuid4(), uuid4(), [message(words), message("nothing more")]
    path = f"/v1/users/{user}/memories"
    body = {"conversation_id": str(conversation), "messages": said}
    assert backend.put(path, json=body).status_code == 204
    page = backend.get(path, params={"limit": 1}).json()
    (mine,) = (item for item in everything(backend, path) if item["content"] == words)
    return One(user, conversation, UUID(said[0]["message_id"]), UUID(mine["memory_id"]), page["next"])


def asking(one: One, content: str = "What is the code word?", **other: Any) -> dict[str, Any]:
    return {"user_id": str(one.user), "persona": "Gem", "history": [], "content": content, **other}


def everything(backend: httpx.Client, path: str) -> list[dict[str, Any]]:
    return backend.get(path, params={"limit": 100}).json()["items"]


@pytest.fixture
def pair(backend: httpx.Client) -> Iterator[Pair]:
    """Alice and Mallory. Whatever a test does, in the end Alice has what she had."""
    alice, mallory = remembering(backend, SECRET), remembering(backend, OWN)
    before = everything(backend, alice.path)
    yield alice, mallory
    assert everything(backend, alice.path) == before
    assert "ultramarine" not in json.dumps(everything(backend, mallory.path))


def nothing_of(alice: One, answer: httpx.Response) -> None:
    """``answer`` holds neither her words nor, but for what was asked for, her ids."""
    text = answer.text.replace(answer.request.url.path, "")
    assert "ultramarine" not in text
    asked = (answer.request.content + answer.request.url.raw_path).decode()
    for identifier in (alice.user, alice.conversation, alice.message, alice.memory):
        assert str(identifier) in asked or str(identifier) not in text


def raw(backend: httpx.Client, tls: ssl.SSLContext, method: str, path: str, headers: dict[str, str]) -> int:
    """The status of a call to ``path`` as it stands: other clients take ways up and down out of it."""
    body = json.dumps({"conversation_id": str(uuid4()), "messages": [message("hers now")]}) if method == "PUT" else None
    connection = HTTPSConnection(backend.base_url.host, backend.base_url.port, context=tls, timeout=20)
    target = quote(path, safe="%/?*{}[]:,;=&'\"$")
    connection.request(method, target, body, headers | {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert b"ultramarine" not in answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("how", crossing(NOBODY, NOBODY))
def test_an_id_that_is_none_selects_nobody(
    backend: httpx.Client, tls: ssl.SSLContext, keys: KeysAlong, pair: Pair, how: str
) -> None:
    alice, mallory = pair
    it = crossing(alice, mallory)[how]
    for method, path in (
        ("GET", f"/v1/users/{it}/memories"),
        ("PUT", f"/v1/users/{it}/memories"),
        ("DELETE", f"/v1/users/{it}/memories"),
        ("POST", f"/v1/users/{it}/memories/renewal"),
        ("DELETE", f"/v1/users/{it}/memories/{alice.memory}"),
        ("DELETE", f"/v1/users/{mallory.user}/memories/{it or ' '}"),
        ("DELETE", f"/v1/users/{it}/conversations/{alice.conversation}/memories"),
        ("DELETE", f"/v1/users/{mallory.user}/conversations/{it}/memories"),
    ):
        status = raw(backend, tls, method, path, keys.header(mallory.user))
        assert status in REFUSED, f"{method} {path}: {status}"


def test_anothers_ids_are_ones_own_where_they_stand_in_ones_own_calls(backend: httpx.Client, pair: Pair) -> None:
    alice, mallory = pair
    theirs = message("mine", message_id=str(alice.message))
    body = {"conversation_id": str(alice.conversation), "messages": [theirs]}
    assert backend.put(mallory.path, json=body).status_code == 204
    (stored,) = (item for item in everything(backend, mallory.path) if item["content"] == "mine")
    assert stored["memory_id"] != str(alice.memory)
    assert backend.delete(f"{mallory.path}/{alice.memory}").status_code == 404
    forgotten = f"/v1/users/{mallory.user}/conversations/{alice.conversation}/memories"
    assert backend.delete(forgotten).status_code == 204
    assert backend.put(mallory.path, json=body).status_code == 410
    # That is Mallory's conversation of that id: Alice's goes on.
    again = {"conversation_id": str(alice.conversation), "messages": [message(SECRET, message_id=str(alice.message))]}
    assert backend.put(alice.path, json=again).status_code == 204


def test_the_key_decides_for_no_other_person_than_the_address(
    backend: httpx.Client, keys: KeysAlong, pair: Pair, model: OpenAIServer
) -> None:
    alice, mallory = pair
    body = {"conversation_id": str(uuid4()), "messages": [message("hers now")]}
    for whose, key in ((alice, mallory), (mallory, alice)):
        for method, path, sent in (
            ("GET", whose.path, None),
            ("PUT", whose.path, body),
            ("POST", f"{whose.path}/renewal", None),
            ("POST", "/v1/replies", asking(whose)),
        ):
            answer = backend.request(method, path, json=sent, headers=keys.header(key.user))
            assert answer.status_code == 422
            nothing_of(alice, answer)
    assert model.requests == []


@pytest.mark.parametrize("which", cursors(NOBODY, NOBODY))
def test_no_cursor_leads_to_another(backend: httpx.Client, pair: Pair, which: str) -> None:
    alice, mallory = pair
    answer = backend.get(mallory.path, params={"cursor": cursors(alice, mallory)[which], "limit": 100})
    assert answer.status_code in (200, 422)
    nothing_of(alice, answer)


def test_nothing_beside_the_address_names_a_person(backend: httpx.Client, pair: Pair, model: OpenAIServer) -> None:
    alice, mallory = pair
    mine = everything(backend, mallory.path)
    named = {name: value(alice) for name, value in NAMING.items()}
    answer = backend.get(mallory.path, params={"limit": 100} | named, headers=named)
    assert answer.json()["items"] == mine
    body = {"conversation_id": str(uuid4()), "messages": [named | message("one more")]} | named
    assert backend.put(mallory.path, params=named, headers=named, json=body).status_code == 204
    added = [item for item in everything(backend, mallory.path) if item not in mine]
    assert [item["content"] for item in added] == ["one more"]
    answer = backend.post("/v1/replies", params=named, headers=named, json=named | asking(mallory))
    assert answer.status_code == 200
    assert "ultramarine" not in json.dumps(model.requests)
    assert backend.request("DELETE", f"{mallory.path}/{uuid4()}", params=named, headers=named).status_code == 404


@pytest.mark.parametrize("what", NO_VALUES)
def test_a_filter_in_the_place_of_a_value_is_refused(
    backend: httpx.Client, keys: KeysAlong, pair: Pair, model: OpenAIServer, what: str
) -> None:
    alice, mallory = pair
    value = NO_VALUES[what](alice)
    for wrong in (
        {"conversation_id": value, "messages": [message("x")]},
        {"conversation_id": str(uuid4()), "messages": [message("x", message_id=value)]},
        {"conversation_id": str(uuid4()), "messages": [message("x", sender=value)]},
        {"conversation_id": str(uuid4()), "messages": [message("x", created_at=value)]},
    ):
        answer = backend.put(mallory.path, json=wrong)
        assert answer.status_code == 422
        nothing_of(alice, answer)
    answer = backend.post("/v1/replies", json=asking(mallory, user_id=value), headers=keys.header(mallory.user))
    assert answer.status_code == 422
    assert model.requests == []


@pytest.mark.parametrize("what", injecting(NOBODY))
def test_words_are_words_whatever_they_say(backend: httpx.Client, pair: Pair, model: OpenAIServer, what: str) -> None:
    alice, mallory = pair
    words = injecting(alice)[what]
    said = message(words)
    body = {"conversation_id": str(uuid4()), "messages": [said, message("and no more")]}
    assert backend.put(mallory.path, json=body).status_code == 204
    mine = everything(backend, mallory.path)
    passages = [item for item in mine if item["message_id"] == said["message_id"]]
    in_order = " ".join(item["content"] for item in sorted(passages, key=lambda item: item["memory_id"]))
    assert in_order.split() == words.split()
    assert len(mine) == len(passages) + 3
    assert backend.post("/v1/replies", json=asking(mallory, f"What is the code word? {words}")).status_code == 200
    assert "ultramarine" not in json.dumps(model.requests)


def test_only_who_said_it_is_answered_with_it(backend: httpx.Client, pair: Pair, model: OpenAIServer) -> None:
    alice, mallory = pair
    model.scripts = [saying("Well.")]
    for one in (mallory, alice):
        assert backend.post("/v1/replies", json=asking(one)).status_code == 200
    hers, control = (json.dumps(request) for request in model.requests)
    assert "ultramarine" not in hers
    assert "ultramarine" in control


def test_the_addresses_of_the_store_are_not_those_of_the_ai_core(backend: httpx.Client, pair: Pair) -> None:
    for path in ("/_search", "/memories/_search", "/memories-v2/_search", "/_bulk", "/_cat/indices", "/_alias", "/*"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = backend.request(method, path, params={"routing": str(pair[0].user)})
            assert answer.status_code in (404, 405)
