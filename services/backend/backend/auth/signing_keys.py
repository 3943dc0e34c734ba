"""The keys that sign access tokens: read at run time, re-read for a key that is not known, rotated without a restart.

A new key signs only once it is ``SETTLE_SECONDS`` old. Every process re-reads the set more often than that, so each
knows a key before anything is signed with it, and the re-read of an unknown key is only a second net.
"""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from chassis.logs import log
from chassis.secret_store import read_secret
from joserfc.jwk import ECKey

SETTLE_SECONDS = 120
REREAD_SECONDS = 60
UNKNOWN_REREAD_SECONDS = 5
"""At most so often is the set re-read because of a token that names an unknown key: anybody can make one up."""

Jwk = dict[str, Any]


class NoSigningKeys(LookupError):
    """The secret holds no key; ``python -m backend.rotate_keys`` makes the first."""


def parse(secret: str | None) -> list[Jwk]:
    """The private keys of a stored JWK set, newest first.

    Raises:
        ValueError: the secret holds something that is no JWK set.
    """
    if not secret or not secret.strip():
        return []
    keys = json.loads(secret)["keys"]
    return sorted(keys, key=lambda key: key["iat"], reverse=True)


def rotated(keys: list[Jwk], token_seconds: int, now: float) -> list[Jwk]:
    """``keys`` with a new one in front and without those whose tokens have all expired.

    A key signs until its successor has settled, and what it signed last lives ``token_seconds`` more.
    """
    new: Jwk = dict(ECKey.generate_key("P-256").as_dict(private=True))
    kept: list[Jwk] = [{**new, "kid": str(uuid4()), "iat": int(now), "use": "sig", "alg": "ES256"}]
    for key in keys:
        if kept[-1]["iat"] + SETTLE_SECONDS + token_seconds < now:
            break
        kept.append(key)
    return kept


class SigningKeys:
    """The key set of this process."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._keys: dict[str, tuple[float, ECKey]] = {}
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    async def read(self) -> None:
        """Read the set anew.

        Raises:
            NoSigningKeys: there is none.
        """
        keys = parse(await asyncio.to_thread(read_secret, self._location))
        if not keys:
            raise NoSigningKeys("SIGNING_KEYS holds no key: run python -m backend.rotate_keys")
        self._keys = {key["kid"]: (key["iat"], ECKey.import_key(key)) for key in keys}
        self._read_at = time.monotonic()

    def current(self) -> tuple[str, ECKey]:
        """The id and the key to sign with: the newest that every process knows, or else the oldest."""
        settled = time.time() - SETTLE_SECONDS
        kid = next((kid for kid, (made, _) in self._keys.items() if made <= settled), list(self._keys)[-1])
        return kid, self._keys[kid][1]

    async def find(self, kid: str) -> ECKey | None:
        """The key of this id, also when it was made after the set was read."""
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and time.monotonic() - self._read_at > UNKNOWN_REREAD_SECONDS:
                    await self.read()
        found = self._keys.get(kid)
        return found[1] if found else None

    async def keep_fresh(self) -> None:
        """Re-read the set now and then, for ever; a failure leaves the keys that are known."""
        while True:
            await asyncio.sleep(REREAD_SECONDS)
            try:
                await self.read()
            except Exception as error:  # noqa: BLE001 - whatever it is, those who are signed in go on
                log("signing_keys.not_read", "error", error)
