"""The memory routes of a running AI core."""

import base64
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from ai_core.settings import DatabaseSettings

from local.postgres import Postgres

WRITTEN = "2026-01-02T03:04:05.678Z"


def message(content: str = "words", **other: Any) -> dict[str, Any]:
    return {"message_id": str(uuid4()), "sender": "user", "content": content, "created_at": WRITTEN, **other}


def remember(backend: httpx.Client, user: UUID, *messages: dict[str, Any], conversation: UUID | None = None) -> int:
    body = {"conversation_id": str(conversation or uuid4()), "messages": messages}
    return backend.put(f"/v1/users/{user}/memories", json=body).status_code


def everything(backend: httpx.Client, user: UUID, limit: int = 100) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = backend.get(f"/v1/users/{user}/memories", params=parameters).json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_what_was_handed_over_can_be_read_back(backend: httpx.Client) -> None:
    user, conversation = uuid4(), uuid4()
    said = [message("Grüße 👋🏽"), message("I hear you.", sender="ai")]
    assert remember(backend, user, *said, conversation=conversation) == 204
    read = everything(backend, user)
    assert {item.pop("memory_id") for item in read}.isdisjoint({None})
    expected = [{**m, "conversation_id": str(conversation), "created_at": "2026-01-02T03:04:05.678000Z"} for m in said]
    assert sorted(read, key=lambda m: m["sender"], reverse=True) == expected


def test_handing_over_again_changes_nothing(backend: httpx.Client) -> None:
    user, said = uuid4(), message()
    assert [remember(backend, user, said) for _ in range(3)] == [204, 204, 204]
    assert len(everything(backend, user)) == 1


def test_a_long_message_becomes_passages_that_lose_nothing(backend: httpx.Client) -> None:
    user = uuid4()
    sentences = [f"In year {year} I learned something new about databases, people and money." for year in range(60)]
    assert remember(backend, user, message(" ".join(sentences))) == 204
    passages = [item["content"] for item in everything(backend, user, limit=2)]
    assert len(passages) > 2
    assert " ".join(passages) == " ".join(sentences)


def test_pages_of_any_size_hold_everything_once(backend: httpx.Client) -> None:
    user = uuid4()
    assert remember(backend, user, *(message(f"my wish number {n}") for n in range(7))) == 204
    whole = everything(backend, user)
    assert len(whole) == 7
    for limit in (1, 3, 7):
        assert everything(backend, user, limit) == whole


def test_a_forgotten_conversation_is_a_410_and_the_others_stay(backend: httpx.Client) -> None:
    user, lost, kept = uuid4(), uuid4(), uuid4()
    late = message("late")
    assert remember(backend, user, message("lost"), conversation=lost) == 204
    assert remember(backend, user, message("kept"), conversation=kept) == 204
    for _ in range(2):
        assert backend.delete(f"/v1/users/{user}/conversations/{lost}/memories").status_code == 204
        assert remember(backend, user, late, conversation=lost) == 410
        assert [item["content"] for item in everything(backend, user)] == ["kept"]


def test_a_forgotten_person_is_a_410(backend: httpx.Client) -> None:
    user, other = uuid4(), uuid4()
    assert remember(backend, user, message("lost")) == 204
    assert remember(backend, other, message("another's")) == 204
    for _ in range(2):
        assert backend.delete(f"/v1/users/{user}/memories").status_code == 204
        assert remember(backend, user, message("late")) == 410
        assert everything(backend, user) == []
    assert len(everything(backend, other)) == 1


def forget_one(backend: httpx.Client, user: UUID, memory: str | UUID) -> int:
    return backend.delete(f"/v1/users/{user}/memories/{memory}").status_code


def test_one_memory_is_forgotten_for_good_and_the_others_stay(backend: httpx.Client) -> None:
    user, conversation = uuid4(), uuid4()
    said = [message("lost"), message("kept")]
    assert remember(backend, user, *said, conversation=conversation) == 204
    by_words = {item["content"]: item["memory_id"] for item in everything(backend, user)}
    assert forget_one(backend, user, by_words["lost"]) == 204
    for _ in range(2):
        assert [item["content"] for item in everything(backend, user)] == ["kept"]
        assert forget_one(backend, user, by_words["lost"]) == 404
        # Handed over once more, as the backend does that never heard of the first time.
        assert remember(backend, user, *said, conversation=conversation) == 204


def test_of_a_long_message_one_passage_is_forgotten(backend: httpx.Client) -> None:
    user = uuid4()
    sentences = [f"In year {year} I learned something new about databases, people and money." for year in range(60)]
    said, conversation = message(" ".join(sentences)), uuid4()
    assert remember(backend, user, said, conversation=conversation) == 204
    whole = everything(backend, user)
    assert forget_one(backend, user, whole[1]["memory_id"]) == 204
    assert remember(backend, user, said, conversation=conversation) == 204
    assert everything(backend, user) == [whole[0], *whole[2:]]


def test_an_unknown_memory_and_anothers_are_the_same_404(backend: httpx.Client) -> None:
    alice, mallory = uuid4(), uuid4()
    assert remember(backend, alice, message("a secret")) == 204
    (hers,) = everything(backend, alice)
    assert forget_one(backend, mallory, hers["memory_id"]) == 404
    assert forget_one(backend, mallory, uuid4()) == 404
    assert everything(backend, alice) == [hers]


def test_what_was_stored_plainly_is_sealed_in_place(
    backend: httpx.Client, database: DatabaseSettings, postgres: Postgres
) -> None:
    user, said = uuid4(), message("zymurgy")
    assert remember(backend, user, said) == 204
    whole = everything(backend, user)
    plain = "UPDATE memories SET content = '\\x00'::bytea || convert_to('zymurgy', 'UTF8') WHERE user_id = :'it'"
    read = "SELECT encode(content, 'hex') FROM memories WHERE user_id = :'it'"
    there = {"PGDATABASE": database.database_name}
    postgres.query(plain, variables={"it": str(user)}, **there)
    assert postgres.query(read, variables={"it": str(user)}, **there).strip() == "00" + b"zymurgy".hex()
    renewed = backend.post(f"/v1/users/{user}/memories/renewal")
    assert renewed.status_code == 200
    assert renewed.json() == backend.get("/v1/memories/format").json()
    assert isinstance(renewed.json()["format"], int)
    assert b"zymurgy".hex() not in postgres.query(read, variables={"it": str(user)}, **there)
    assert everything(backend, user) == whole
    assert backend.post(f"/v1/users/{user}/memories/renewal").json() == renewed.json()


def test_a_410_is_a_problem_document_without_the_words(backend: httpx.Client) -> None:
    user = uuid4()
    backend.delete(f"/v1/users/{user}/memories")
    body = {"conversation_id": str(uuid4()), "messages": [message("zymurgy")]}
    response = backend.put(f"/v1/users/{user}/memories", json=body)
    assert response.headers["content-type"] == "application/problem+json"
    assert "zymurgy" not in response.text


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"sender": "system"}, "/body/messages/0/sender"),
        ({"created_at": "2026-01-02T03:04:05"}, "/body/messages/0/created_at"),
        ({"message_id": "1"}, "/body/messages/0/message_id"),
        ({"content": "a\0b"}, "/body/messages/0/content"),
    ],
)
def test_a_wrong_message_is_a_422_and_none_is_kept(backend: httpx.Client, wrong: dict[str, Any], pointer: str) -> None:
    user = uuid4()
    body = {"conversation_id": str(uuid4()), "messages": [message(**wrong), message()]}
    response = backend.put(f"/v1/users/{user}/memories", json=body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert everything(backend, user) == []


NO_CURSORS = ["x", "%%%", base64.urlsafe_b64encode(b"yesterday 1").decode(), "MjAyNi0wMS0wMg==", "é"]


WITHOUT_ZONE = base64.urlsafe_b64encode(f"2026-01-01 {UUID(int=7)}".encode()).decode()


@pytest.mark.parametrize("cursor", [*NO_CURSORS, WITHOUT_ZONE])
def test_a_cursor_that_is_none_is_a_422(backend: httpx.Client, cursor: str) -> None:
    response = backend.get(f"/v1/users/{uuid4()}/memories", params={"cursor": cursor})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/query/cursor"]


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_a_limit_out_of_range_is_a_422(backend: httpx.Client, limit: str) -> None:
    assert backend.get(f"/v1/users/{uuid4()}/memories", params={"limit": limit}).status_code == 422


def test_an_id_that_is_none_is_a_422(backend: httpx.Client) -> None:
    assert backend.get("/v1/users/me/memories").status_code == 422
    assert backend.delete(f"/v1/users/{uuid4()}/conversations/it/memories").status_code == 422
    assert backend.delete(f"/v1/users/it/memories/{uuid4()}").status_code == 422
    assert backend.delete(f"/v1/users/{uuid4()}/memories/it").status_code == 404
    renewal = backend.delete(f"/v1/users/{uuid4()}/memories/renewal")
    assert (renewal.status_code, renewal.headers["allow"]) == (405, "POST")
