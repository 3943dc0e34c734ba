"""What routes are given: the parts that one process has of each, and who calls."""

from dataclasses import dataclass
from typing import Annotated, cast

from chassis.direct import Direct
from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.ai_core import AiCore
from backend.auth.service import Auth, unauthorized
from backend.auth.tokens import Caller
from backend.messages.service import Conversing
from backend.outbox import Outbox
from backend.settings import Settings

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Parts:
    """Made when the process starts, closed when it ends."""

    settings: Settings
    engine: AsyncEngine
    direct: Direct
    """The same database for what every request needs."""
    ai_core: AiCore
    auth: Auth
    outbox: Outbox
    conversing: Conversing


async def _parts(request: Request) -> Parts:  # one that is not async would be run in a thread
    return cast("Parts", request.app.state.parts)


Backend = Annotated[Parts, Depends(_parts)]

_bearer = OAuth2PasswordBearer(tokenUrl=f"{PREFIX}/auth/token", refreshUrl=f"{PREFIX}/auth/refresh", auto_error=False)


async def _caller(parts: Backend, token: Annotated[str | None, Depends(_bearer)]) -> Caller:
    if not token:
        raise unauthorized("An access token is needed: Authorization: Bearer …")
    return await parts.auth.caller(token)


Me = Annotated[Caller, Depends(_caller)]
"""The person who calls; a request without a good token ends in 401."""
