"""Every failure is the same kind of document, and shows nothing of what went wrong inside."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.chassis.conftest import Service
from tests.chassis.service import MAX_BODY_BYTES

TYPED = {"Content-Type": "application/json"}


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == "about:blank"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == answer.request.url.path
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


def test_an_unknown_address_is_a_404(client: httpx.Client) -> None:
    problem_of(client.get("/nowhere"), 404)


def test_a_wrong_method_is_a_405_that_names_the_right_ones(client: httpx.Client) -> None:
    answer = client.get("/notes")
    problem_of(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("sent", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_a_body_of_another_type_is_a_415(client: httpx.Client, sent: str) -> None:
    problem_of(client.post("/notes", content=b'{"text": "x"}', headers={"Content-Type": sent}), 415)


@pytest.mark.parametrize("sent", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_a_type_may_have_parameters_and_any_case(client: httpx.Client, sent: str) -> None:
    answer = client.post("/notes", content=b'{"text": "x"}', headers={"Content-Type": sent})
    assert (answer.status_code, answer.json()) == (200, {"text": "x", "numbers": {}})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/text"),
        ({"text": 1}, "/body/text"),
        ({"text": "zymurgy" * 8}, "/body/text"),
        ({"text": "x", "numbers": {"a/b~c": "no"}}, "/body/numbers/a~1b~0c"),
    ],
)
def test_a_wrong_value_is_a_422_that_points_to_it(client: httpx.Client, body: dict[str, object], pointer: str) -> None:
    answer = client.post("/notes", json=body)
    document = problem_of(answer, 422)
    assert [error["pointer"] for error in document["errors"]] == [pointer]
    assert "zymurgy" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"text": "\\ud800"}', b"[" * 900, b"null"])
def test_a_body_that_cannot_be_read_is_a_422(client: httpx.Client, body: bytes) -> None:
    problem_of(client.post("/notes", content=body, headers=TYPED), 422)


def test_a_body_that_says_it_is_too_long_is_a_413(client: httpx.Client) -> None:
    problem_of(client.post("/notes", content=b" " * (MAX_BODY_BYTES + 1), headers=TYPED), 413)


def test_a_body_that_does_not_say_how_long_it_is_is_a_413_too(client: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 100 + 1):
            yield b" " * 100

    problem_of(client.post("/notes", content=parts(), headers=TYPED), 413)


def test_a_body_of_just_the_longest_size_is_read(client: httpx.Client) -> None:
    body = b'{"text": "x"}'.ljust(MAX_BODY_BYTES)
    for content in (body, iter([body])):
        assert client.post("/notes", content=content, headers=TYPED).status_code == 200


def test_an_unexpected_error_is_a_500_with_a_request_id_and_nothing_else(
    client: httpx.Client, service: Service
) -> None:
    answer = client.get("/failures")
    document = problem_of(answer, 500)
    assert set(document) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert "zymurgy" not in answer.text
    assert "RuntimeError" not in answer.text
    assert str(document["request_id"]) in service.log


def test_a_service_that_is_not_ready_still_lives(client: httpx.Client, service: Service) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}
    unready = service.folder / "unready"
    unready.touch()
    answer = client.get("/readyz")
    problem_of(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert client.get("/healthz").json() == {"status": "ok"}
    unready.unlink()
    assert client.get("/readyz").status_code == 200


def test_the_openapi_document_names_the_problems(client: httpx.Client) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/notes"]["post"]["responses"]
    for status in ("413", "415", "422"):
        schema = responses[status]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDocument"}
