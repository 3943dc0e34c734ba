"""Somebody who talks with Sanctum and knows nothing of it but its public API."""

import json
import ssl
import weakref
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.support.canaries import HOOKS, remember_all

API = "/api/v1"
PASSWORD = "correct horse battery staple"


class Person:
    """An HTTP client with an account; ``anonymous`` until ``register`` and ``sign_in``."""

    http: httpx.Client

    def __init__(self, url: str, ca: Path) -> None:
        self.email = f"{uuid4()}@example.com"
        self.password = PASSWORD
        self.tokens: dict[str, Any] = {}
        self.reach(url, ca)

    def reach(self, url: str, ca: Path) -> None:
        """Find Sanctum at ``url`` from now on."""
        self.http = httpx.Client(
            base_url=url,
            verify=ssl.create_default_context(cafile=ca),
            timeout=httpx.Timeout(60, connect=5),
            event_hooks=HOOKS,
        )
        weakref.finalize(self, self.http.close)  # a test that fails before it closes makes no other fail

    def register(self) -> "Person":
        """Create the account and sign in to it."""
        answer = self.call("POST", "/auth/register", json={"email": self.email, "password": self.password})
        assert answer.status_code == 201, answer.text
        self.sign_in()
        return self

    def sign_in(self, password: str | None = None) -> httpx.Response:
        """Sign in; the tokens are used from then on."""
        form = {"grant_type": "password", "username": self.email, "password": password or self.password}
        answer = self.call("POST", "/auth/token", data=form, headers={"Authorization": ""})
        if answer.status_code == 200:
            self.tokens = answer.json()
        return answer

    def call(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        """One request below the API's prefix, with the access token where there is one."""
        sent = {**self._authorization(), **(headers or {})}
        return self.http.request(method, API + path, headers={k: v for k, v in sent.items() if v}, **kwargs)

    def converse(self, persona: str = "Gem") -> str:
        """Begin a conversation; its id."""
        answer = self.call("POST", "/conversations", json={"persona": persona})
        assert answer.status_code == 201, answer.text
        return answer.json()["conversation_id"]

    def say(self, conversation: str, content: str, **headers: str) -> httpx.Response:
        """Send a message and wait for the whole reply."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", f"/conversations/{conversation}/messages", json={"content": content}, headers=sent)

    def stream(self, conversation: str, content: str) -> Generator[dict[str, Any]]:
        """Send a message and yield the events of the reply as they come."""
        path = f"{API}/conversations/{conversation}/messages"
        headers = {**self._authorization(), "Accept": "text/event-stream"}
        with self.http.stream("POST", path, json={"content": content}, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    if event["type"] == "message":
                        remember_all(event)
                    yield event

    def history(self, conversation: str) -> list[dict[str, Any]]:
        """The newest messages of a conversation, oldest first."""
        return self.call("GET", f"/conversations/{conversation}").json()["messages"]

    def memories(self) -> list[dict[str, Any]]:
        """All that Sanctum remembers of this person."""
        return self.call("GET", "/users/me/export").json()["memories"]

    def _authorization(self) -> dict[str, str]:
        token = self.tokens.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else {}


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """``answer`` is the problem document of ``status`` that the contract promises; gives its members."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document.keys() - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["instance"] == answer.request.url.path
    if status == 422 and "errors" in document:
        assert all(error["pointer"].startswith("/") and error["detail"] for error in document["errors"])
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0
    return document
