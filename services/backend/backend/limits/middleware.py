"""Each request waits its turn before anything of it is read: with a good access token that of the person, so that
nobody is held up by others at the same address, and else that of the address."""

from chassis.problems import Problem
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.auth.throttle import address_of
from backend.auth.tokens import AccessTokens
from backend.limits.pace import Pace

UNLIMITED = frozenset({"/healthz", "/readyz"})
"""Asked by the load balancer: what is refused there takes the process out of service."""


class Turns:
    """Whose turn it is in this process."""

    def __init__(self, tokens: AccessTokens, *, per_person: int, per_address: int) -> None:
        self._tokens = tokens
        self._people = Pace(per_person)
        self._addresses = Pace(per_address)

    async def wait(self, scope: Scope) -> None:
        """Return when it is the turn of a request; who calls is then in ``scope["caller"]``, or ``None``.

        Raises:
            Problem: 429 as ``Pace.turn``.
        """
        scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
        caller = await self._tokens.read(token) if scheme.lower() == "bearer" else None
        scope["caller"] = caller
        scope.setdefault("state", {})["user_id"] = caller and caller.user_id  # for the line in the log
        if caller:
            await self._people.turn(caller.user_id)
        else:
            await self._addresses.turn(address_of(scope["client"][0] if scope["client"] else None))


class TurnMiddleware:
    """Has each request wait for ``Parts.turns``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and scope["path"] not in UNLIMITED:
            try:
                await scope["app"].state.parts.turns.wait(scope)
            except Problem as problem:
                await problem.response(Request(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)
