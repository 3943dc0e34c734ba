"""The OpenAPI document: every route with every status it can give."""

from typing import Any

import pytest

from tests.support.person import API, Person

STATUSES = {
    ("post", "/auth/register"): {201, 409, 413, 415, 422, 500, 503},
    ("post", "/auth/token"): {200, 401, 413, 415, 422, 500, 503},
    ("post", "/auth/refresh"): {200, 401, 413, 415, 422, 500, 503},
    ("post", "/auth/logout"): {204, 413, 415, 422, 500, 503},
    ("post", "/auth/password"): {204, 401, 413, 415, 422, 500, 503},
    ("post", "/conversations"): {201, 401, 413, 415, 422, 500, 503},
    ("get", "/conversations"): {200, 401, 422, 500, 503},
    ("get", "/conversations/{conversation_id}"): {200, 401, 404, 422, 500, 503},
    ("delete", "/conversations/{conversation_id}"): {204, 401, 404, 422, 500, 503},
    ("post", "/conversations/{conversation_id}/messages"): {200, 401, 404, 409, 413, 415, 422, 500, 503},
    ("get", "/users/me/export"): {200, 401, 500, 503},
    ("delete", "/users/me"): {202, 401, 500, 503},
    ("get", "/erasures/{erasure_id}"): {200, 404, 422, 500, 503},
    ("get", "/users/me/memories"): {200, 401, 422, 500, 503},
    ("delete", "/users/me/memories/{memory_id}"): {204, 401, 404, 422, 500, 503},
}
"""Besides what every route may answer."""
EVERYWHERE = {400, 408, 413, 429, 431, 500}


@pytest.fixture
def document(anonymous: Person) -> dict[str, Any]:
    return anonymous.http.get("/openapi.json").json()


def _operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path.removeprefix(API)): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(API)
    }


def test_every_route_documents_its_statuses(document: dict[str, Any]) -> None:
    documented = {key: {int(s) for s in op["responses"]} for key, op in _operations(document).items()}
    assert documented == {key: statuses | EVERYWHERE for key, statuses in STATUSES.items()}


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"].keys() == {"application/problem+json"}
    members = document["components"]["schemas"]["ProblemDocument"]["properties"].keys()
    assert members == {"type", "title", "status", "detail", "instance", "request_id", "errors"}


def test_routes_that_need_a_token_say_so(document: dict[str, Any]) -> None:
    for key, operation in _operations(document).items():
        needs = 401 in STATUSES[key] and key[1] not in ("/auth/token", "/auth/refresh")
        assert ("security" in operation) == needs
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == f"{API}/auth/token"


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in _operations(document).values()]
    assert set(names) == {
        "register", "sign_in", "refresh", "logout", "change_password", "begin_conversation", "list_conversations",
        "read_conversation", "delete_conversation", "say", "export_everything", "erase_everything",
        "list_memories", "forget_memory", "read_erasure",
    }  # fmt: skip


def test_every_link_leads_to_an_operation(document: dict[str, Any]) -> None:
    operations = _operations(document).values()
    links = [link for o in operations for r in o["responses"].values() for link in r.get("links", {}).values()]
    assert {"sign_in", "refresh", "say", "read_conversation"} <= {link["operationId"] for link in links}
    assert {link["operationId"] for link in links} <= {operation["operationId"] for operation in operations}


def test_who_is_to_wait_is_told_how_long(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        for status in {"429", "503"} & operation["responses"].keys():
            assert operation["responses"][status]["headers"]["Retry-After"]["required"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set[str]()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType] - any JSON
            return here.union(*(references(value) for value in node.values()))  # pyright: ignore[reportUnknownVariableType] - any JSON
        if isinstance(node, list):
            return set[str]().union(*(references(value) for value in node))  # pyright: ignore[reportUnknownVariableType] - any JSON
        return set()

    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_the_stream_is_documented_beside_the_reply(document: dict[str, Any]) -> None:
    operation = _operations(document)["post", "/conversations/{conversation_id}/messages"]
    assert operation["responses"]["200"]["content"].keys() == {"application/json", "text/event-stream"}
