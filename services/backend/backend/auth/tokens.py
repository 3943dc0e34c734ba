"""Access tokens: short-lived ES256 JWTs (RFC 9068), each of one sign-in."""

import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from backend.auth.signing_keys import SigningKeys

ISSUER = AUDIENCE = "sanctum"
TYPE = "at+jwt"
"""Tells an access token from every other thing that may be signed with these keys (RFC 9068, section 2.1)."""

REMEMBERED = 10_000
"""How many tokens are not verified again; verifying one takes as long as a query."""


@dataclass(frozen=True)
class Caller:
    """Who calls, through which of their sign-ins."""

    user_id: UUID
    sign_in_id: UUID


@dataclass(frozen=True)
class _Verified:
    caller: Caller
    kid: str
    expires_at: int


class AccessTokens:
    """Issues and reads access tokens; whether the sign-in still lives is the database's to say."""

    def __init__(self, keys: SigningKeys, seconds: int) -> None:
        self.seconds = seconds
        self._keys = keys
        # By a digest: a token that somebody could use is not to lie in memory.
        self._verified: dict[bytes, _Verified] = {}
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
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(digest)
        # Only while the key that signed it is in use: one that leaked is taken out of the set at once.
        if known and await self._keys.find(known.kid):
            return known.caller if time.time() < known.expires_at else None
        verified = await self._verify(token)
        if verified is None:
            return None
        while len(self._verified) >= REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = verified
        return verified.caller

    async def _verify(self, token: str) -> _Verified | None:
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            key = await self._keys.find(kid) if isinstance(kid, str) else None
            if key is None or not isinstance(kid, str):
                return None
            read = jwt.decode(token, key, algorithms=["ES256"])
            if read.header.get("typ") != TYPE:
                return None
            self._claims.validate(read.claims)
            caller = Caller(UUID(read.claims["sub"]), UUID(read.claims["sid"]))
            return _Verified(caller, kid, read.claims["exp"])
        except (JoseError, ValueError, TypeError, AttributeError):
            return None
