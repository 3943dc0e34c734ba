"""What is answered while something that a service stands on is away."""

from fastapi import FastAPI, Request, Response

from chassis.logs import log
from chassis.problems import Problem


async def unavailable(request: Request, error: Exception) -> Response:
    """503 with ``Retry-After``, and a line in the log."""
    log("database.unavailable", "error", error)
    problem = Problem(503, "The database does not answer. Try again.", headers={"Retry-After": "5"})
    return problem.response(request)


def install_unavailable(app: FastAPI, *errors: type[Exception]) -> None:
    """Make ``app`` answer 503 with ``Retry-After`` to connections that fail, and to ``errors``."""
    for error in (ConnectionError, TimeoutError, *errors):
        app.add_exception_handler(error, unavailable)
