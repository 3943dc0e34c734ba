"""What FastAPI's own OpenAPI document leaves out."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema


def reference(model: type[BaseModel]) -> dict[str, str]:
    """The schema of a model that ``describe`` adds."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def describe(app: FastAPI, *models: type[BaseModel]) -> None:
    """Add models to the document that no route returns as plain JSON: problems, events of a stream."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        _, described = models_json_schema(
            [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
        )
        document.setdefault("components", {}).setdefault("schemas", {}).update(described["$defs"])
        return document

    app.openapi = openapi
