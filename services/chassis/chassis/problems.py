"""Errors as RFC 9457 problem documents: one shape for every route and every failure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from chassis.openapi import reference

MEDIA_TYPE = "application/problem+json"


class InvalidValue(BaseModel):
    """One wrong value of a request: where (a JSON pointer into the request) and what is allowed."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457 problem details. ``request_id`` finds the request in the logs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[InvalidValue] | None = None


class Problem(Exception):
    """Ends a request with a problem document.

    ``detail`` is for the person who calls; ``headers`` go out with it (``Retry-After``, ``WWW-Authenticate``).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[InvalidValue] | None = None,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors

    def document(self, request: Request) -> ProblemDocument:
        """The document as it goes out in answer to ``request``."""
        return ProblemDocument(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            instance=request.url.path,
            request_id=request_id(request),
            errors=self.errors,
        )

    def response(self, request: Request) -> Response:
        """The whole answer to ``request``."""
        body = self.document(request).model_dump_json(exclude_none=True)
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def request_id(request: Request) -> str:
    """The id of a request, given by the middleware in ``chassis.application``."""
    return request.scope.setdefault("request_id", str(uuid4()))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route that may end with these problems."""
    content = {MEDIA_TYPE: {"schema": reference(ProblemDocument)}}
    return {
        status: {"description": HTTPStatus(status).phrase, "headers": _HEADERS.get(status, {}), "content": content}
        for status in statuses
    }


EVERYWHERE = (400, 408, 413, 431, 500)
"""What every route may answer: no HTTP, too slow, too long, too long a head, and what nobody expected."""

_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "RFC 6750", "required": True, "schema": {"type": "string"}}},
    409: {"Retry-After": _RETRY_AFTER},  # not where the conflict stays
    429: {"Retry-After": {**_RETRY_AFTER, "required": True}},
    503: {"Retry-After": {**_RETRY_AFTER, "required": True}},
}


def install(app: FastAPI) -> None:
    """Make ``app`` answer every failure with a problem document; an unexpected one is ``RequestMiddleware``'s."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return error.response(request)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        # FastAPI answers 400 to a body that is no JSON text at all (bad UTF-8, too deep); to us that is malformed too.
        status = 422 if error.status_code == HTTPStatus.BAD_REQUEST else error.status_code
        detail = _DETAILS.get(status, HTTPStatus(status).phrase)
        headers = (
            {"Allow": ", ".join(_allowed(app, request))} if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
        )
        return Problem(status, detail, headers=headers).response(request)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [InvalidValue(pointer=_pointer(e["loc"]), detail=e["msg"]) for e in error.errors()]
        detail = "The request is not as it must be; errors names each wrong value."
        return Problem(422, detail, errors=errors).response(request)


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """The methods of all routes at this address; Starlette names those of the first alone."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method; Allow names those it takes.",
    413: "The request is too long.",
    422: "The body cannot be read as what its Content-Type says.",
}


def _pointer(location: tuple[int | str, ...]) -> str:
    """``("body", "items", 0)`` → ``/body/items/0`` (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
