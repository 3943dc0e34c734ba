"""What FastAPI's own OpenAPI document leaves out."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema


def reference(model: type[BaseModel]) -> dict[str, str]:
    """The schema of a model that ``describe`` adds."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


Links = Mapping[str, Mapping[str, dict[str, Any]]]
"""OpenAPI links, by the operation they start from and the operation they lead to."""

_REQUEST_ID = {
    "description": "Finds the request in the logs.",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def describe(app: FastAPI, *models: type[BaseModel], links: Links | None = None) -> None:
    """Add to the document what no route states.

    Args:
        app: The application.
        models: What no route returns as plain JSON: problems, events of a stream.
        links: What leads from an answer that is no error to the next request.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        _, described = models_json_schema(
            [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
        )
        document.setdefault("components", {}).setdefault("schemas", {}).update(described["$defs"])
        for operation in (operation for path in document["paths"].values() for operation in path.values()):
            leading = (links or {}).get(operation["operationId"], {})
            for status, response in operation["responses"].items():
                response["headers"] = response.get("headers", {}) | {"X-Request-ID": _REQUEST_ID}
                if status.startswith("2"):
                    response.setdefault("links", {}).update(
                        {target: {"operationId": target, **link} for target, link in leading.items()}
                    )
        return document

    app.openapi = openapi
