"""What routes are given: the parts that one process has of each, and who calls."""

from dataclasses import dataclass
from typing import Annotated, cast

from chassis.direct import Direct
from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from backend.ai_core import AiCore
from backend.auth.service import Auth, unauthorized
from backend.auth.throttle import address_of
from backend.auth.tokens import Caller
from backend.keys.person_keys import PersonKeys
from backend.limits.allowances import Allowances
from backend.limits.at_once import AtOnce
from backend.limits.middleware import Turns
from backend.messages.service import Conversing
from backend.messages.words import Sealing
from backend.outbox import Outbox
from backend.settings import Settings

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Parts:
    """Made when the process starts, closed when it ends."""

    settings: Settings
    direct: Direct
    keys: PersonKeys
    sealing: Sealing
    ai_core: AiCore
    auth: Auth
    outbox: Outbox
    conversing: Conversing
    allowances: Allowances
    exporting: AtOnce
    turns: Turns


async def _parts(request: Request) -> Parts:  # one that is not async would be run in a thread
    return cast("Parts", request.app.state.parts)


Backend = Annotated[Parts, Depends(_parts)]

_bearer = OAuth2PasswordBearer(tokenUrl=f"{PREFIX}/auth/token", refreshUrl=f"{PREFIX}/auth/refresh", auto_error=False)


async def _address(request: Request) -> str:
    return address_of(request.client.host if request.client else None)


Address = Annotated[str, Depends(_address)]
"""Where the request comes from, as far as limits go."""


async def _caller(parts: Backend, request: Request, token: Annotated[str | None, Depends(_bearer)]) -> Caller:
    if not token:
        raise unauthorized("An access token is needed: Authorization: Bearer …")
    caller: Caller | None = request.scope["caller"]  # as TurnMiddleware has found
    if caller is None:
        raise unauthorized("The access token is not good.", bad_token=True)
    await parts.auth.check_lives(caller)
    return caller


Me = Annotated[Caller, Depends(_caller)]
"""The person who calls; a request without a good token ends in 401."""
