"""What every answer carries, and what is written about a request."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.chassis.conftest import Service
from tests.support.waiting import eventually


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/failures"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert "server" not in headers


def test_trace_sends_nothing_back(client: httpx.Client) -> None:
    answer = client.request("TRACE", "/healthz", headers={"Authorization": "Bearer aardvark"})
    assert answer.status_code == 405
    assert "aardvark" not in answer.text


def test_a_route_may_say_otherwise(client: httpx.Client) -> None:
    assert client.post("/sizes").headers["cache-control"] == "max-age=60"


def test_every_request_has_an_id_of_its_own_that_the_caller_does_not_choose(client: httpx.Client) -> None:
    chosen = {"X-Request-ID": "mine"}
    ids = [client.get("/healthz", headers=chosen).headers["x-request-id"] for _ in range(3)]
    assert len({UUID(identifier) for identifier in ids}) == 3


def test_the_log_has_one_line_a_request_without_a_word_of_the_caller(client: httpx.Client, service: Service) -> None:
    secret = "aardvark"
    answers = [
        client.get(f"/{secret}?{secret}={secret}", headers={"User-Agent": secret, "Authorization": secret}),
        client.post("/notes", json={"text": secret}),
        client.post("/notes", json={"text": secret * 50}),
        client.request("PROPFIND", f"/{secret}"),
        client.get("/failures"),
    ]

    def lines(answer: httpx.Response) -> list[dict[str, Any]]:
        written = map(json.loads, service.log.splitlines())
        done = [line for line in written if line["event"] == "request.done"]
        return [line for line in done if line["request_id"] == answer.headers["x-request-id"]]

    for answer in answers:
        (line,) = eventually(lambda answer=answer: lines(answer))  # an answer may arrive before its line is written
        assert line["status"] == answer.status_code
        assert line["milliseconds"] >= 0
    assert secret not in service.log.lower()
    assert "zymurgy" not in service.log
