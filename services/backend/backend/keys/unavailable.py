"""What is answered while a person's keys cannot be had: never anything that was not sealed with them."""

from chassis.logs import log
from chassis.problems import Problem
from chassis.sealing.key_service import KeyServiceUnavailable
from fastapi import FastAPI, Request, Response

from backend.auth.service import unauthorized
from backend.keys.epochs import EpochKeysUnavailable
from backend.keys.person_keys import NoKeys


def install_unavailable_keys(app: FastAPI) -> None:
    """Make ``app`` answer 503 while the key service or the store of epoch keys is away, and 401 to whom is erased."""

    async def unavailable(request: Request, error: Exception) -> Response:
        log("keys.unavailable", "error", error)
        problem = Problem(503, "What people say cannot be opened or kept now.", headers={"Retry-After": "5"})
        return problem.response(request)

    async def erased(request: Request, _: Exception) -> Response:
        # Between the check of the token and here, or else somebody has taken the keys away.
        log("keys.missing", "warning")
        return unauthorized("The access token is not good.", bad_token=True).response(request)

    app.add_exception_handler(KeyServiceUnavailable, unavailable)
    app.add_exception_handler(EpochKeysUnavailable, unavailable)
    app.add_exception_handler(NoKeys, erased)
