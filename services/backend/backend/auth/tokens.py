"""Access tokens: short-lived ES256 JWTs (RFC 9068), each of one sign-in."""

import time
from dataclasses import dataclass
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from backend.auth.signing_keys import SigningKeys

ISSUER = AUDIENCE = "sanctum"
TYPE = "at+jwt"
"""Tells an access token from every other thing that may be signed with these keys (RFC 9068, section 2.1)."""


@dataclass(frozen=True)
class Caller:
    """Who calls, through which of their sign-ins."""

    user_id: UUID
    sign_in_id: UUID


class AccessTokens:
    """Issues and reads access tokens; whether the sign-in still lives is the database's to say."""

    def __init__(self, keys: SigningKeys, seconds: int) -> None:
        self.seconds = seconds
        self._keys = keys
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            sid={"essential": True},
            exp={"essential": True},
        )

    def issue(self, caller: Caller) -> str:
        """A token for ``caller``, good for ``seconds``."""
        kid, key = self._keys.current()
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "sid": str(caller.sign_in_id),
            "iat": now,
            "exp": now + self.seconds,
        }
        return jwt.encode({"alg": "ES256", "kid": kid, "typ": TYPE}, claims, key)

    async def read(self, token: str) -> Caller | None:
        """Who the token was issued to, or ``None`` when it is not one of ours or has expired."""
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            key = await self._keys.find(kid) if isinstance(kid, str) else None
            if key is None:
                return None
            read = jwt.decode(token, key, algorithms=["ES256"])
            if read.header.get("typ") != TYPE:
                return None
            self._claims.validate(read.claims)
            return Caller(UUID(read.claims["sub"]), UUID(read.claims["sid"]))
        except (JoseError, ValueError, TypeError, AttributeError):
            return None
