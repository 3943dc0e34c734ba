"""The part of ``service.toml`` about the way in, against the routes that there are."""

from typing import Any

import pytest

from infra.services import read_services
from tests.support.person import API, Person

SERVICE = read_services()["backend"]
OURS = {f"{API}/auth/refresh", f"{API}/auth/logout", f"{API}/conversations"}
"""Routes whose bodies have nothing in them but what the API itself has given out: tokens, and names of personas."""


@pytest.fixture
def paths(anonymous: Person) -> dict[str, Any]:
    return anonymous.http.get("/openapi.json").json()["paths"]


def test_every_route_but_readiness_is_public(paths: dict[str, Any]) -> None:
    assert {path for path in paths if not SERVICE.edge.admits(path)} == {SERVICE.health.ready}


def test_every_route_that_takes_words_of_people_says_so(paths: dict[str, Any]) -> None:
    takes_a_body = {path for path, methods in paths.items() if any("requestBody" in m for m in methods.values())}
    assert takes_a_body == {*SERVICE.edge.words} | OURS
