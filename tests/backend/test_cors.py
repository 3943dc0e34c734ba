"""Which web pages may call."""

import pytest

from tests.support.person import API, Person, assert_problem

PAGE = "https://page.example"
ASK = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:5173"])
def test_the_pages_of_the_settings_may_call(anonymous: Person, origin: str) -> None:
    asked = anonymous.http.options(f"{API}/conversations", headers={"Origin": origin} | ASK)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in asked.headers
    allowed = asked.headers["access-control-allow-headers"].lower()
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed.split(", "))


@pytest.mark.parametrize("path", ["/conversations", "/nothing", "/auth/token"])
def test_a_page_can_read_errors_too(anonymous: Person, path: str) -> None:
    answer = anonymous.call("POST", path, headers={"Origin": PAGE}, content=b" " * 70_000)
    assert answer.status_code >= 400
    assert answer.headers["access-control-allow-origin"] == PAGE
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert set(exposed.split(", ")) == {"retry-after", "x-request-id"}


@pytest.mark.parametrize(
    "origin", ["https://page.example.evil.example", "http://page.example", "null", "https://PAGE.example"]
)
def test_no_other_page_may_call(anonymous: Person, origin: str) -> None:
    asked = anonymous.http.options(f"{API}/conversations", headers={"Origin": origin} | ASK)
    assert_problem(asked, 405)
    answer = anonymous.call("GET", "/conversations", headers={"Origin": origin})
    for refused in (asked, answer):
        assert not any(name.startswith("access-control") for name in refused.headers)
