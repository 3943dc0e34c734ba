"""Those who want what is not theirs, each with what they can show."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from local.certificates import Authority
from local.postgres import Postgres
from tests.support.person import Person
from tests.support.running import Sanctum

NEW_PASSWORD = "an even longer horse"


@dataclass(frozen=True)
class Shown:
    """What a caller shows: an access token, a refresh token, a password."""

    access: str | None = None
    refresh: str = "a refresh token that nobody gave"
    password: str = "a password of somebody else"


@dataclass
class Scene:
    """A running Sanctum, the owner of everything, and more people where some are needed."""

    sanctum: Sanctum
    owner: Person
    newcomer: Callable[[], Person]
    erasure: str
    """The receipt of somebody who was erased, which whoever knows its id may read."""

    def claims(self) -> dict[str, Any]:
        """Of the owner's living access token."""
        part = self.owner.tokens["access_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=="))

    def key(self) -> ECKey:
        """The one that signs, as it lies on this machine."""
        stored = json.loads((self.sanctum.state / "secrets" / "signing-keys.json").read_text())
        return ECKey.import_key(stored["keys"][-1])

    def expire(self, sign_in: str) -> None:
        """Let a sign-in, and so its refresh token, have come to its end."""
        data = self.sanctum.state / "postgres"
        port = int((data / "cluster/data/postmaster.pid").read_text().splitlines()[3])
        script = "UPDATE sign_ins SET expires_at = now() WHERE sign_in_id = :'it' RETURNING 'expired'"
        server = Postgres(data, Authority("unused"), port=port)
        assert "expired" in server.query(script, variables={"it": sign_in}, PGDATABASE="users")

    def shown_by(self, person: Person) -> Shown:
        """All that ``person`` has."""
        return Shown(person.tokens["access_token"], person.tokens["refresh_token"], person.password)


def _anonymous(_: Scene) -> Shown:
    return Shown()


def _erased(scene: Scene) -> Shown:
    person = scene.newcomer()
    assert person.call("DELETE", "/users/me").status_code == 202
    return scene.shown_by(person)


def _logged_out(scene: Scene) -> Shown:
    ended = scene.shown_by(scene.owner)
    scene.owner.sign_in()
    assert scene.owner.call("POST", "/auth/logout", json={"refresh_token": ended.refresh}).status_code == 204
    return Shown(ended.access, ended.refresh)


def _before_a_password_change(scene: Scene) -> Shown:
    ended = scene.shown_by(scene.owner)
    scene.owner.sign_in()
    change = {"old_password": ended.password, "new_password": NEW_PASSWORD}
    assert scene.owner.call("POST", "/auth/password", json=change).status_code == 204
    scene.owner.password = NEW_PASSWORD
    return ended


def _signed(key: ECKey | OctKey, claims: dict[str, Any], kid: str, algorithm: str = "ES256") -> str:
    header = {"alg": algorithm, "kid": kid, "typ": "at+jwt"}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def _expired(scene: Scene) -> Shown:
    key, claims = scene.key(), scene.claims()
    # A token made in this way is good until it expires.
    good = {"Authorization": f"Bearer {_signed(key, claims | {'exp': int(time.time()) + 60}, key.kid or '')}"}
    assert scene.owner.call("GET", "/conversations", headers=good).status_code == 200
    return Shown(_signed(key, claims | {"exp": int(time.time()) - 1}, key.kid or ""))


def _expired_sign_in(scene: Scene) -> Shown:
    ended = scene.shown_by(scene.owner)
    assert scene.owner.call("GET", "/conversations").status_code == 200
    scene.expire(scene.claims()["sid"])
    scene.owner.sign_in()
    return Shown(ended.access, ended.refresh)


def _foreign_key(scene: Scene) -> Shown:
    return Shown(_signed(ECKey.generate_key("P-256"), scene.claims(), scene.key().kid or ""))


def _public_key_as_secret(scene: Scene) -> Shown:
    secret = OctKey.import_key(scene.key().as_bytes(private=False).hex())
    return Shown(_signed(secret, scene.claims(), scene.key().kid or "", "HS256"))


def _unsigned(scene: Scene) -> Shown:
    header = json.dumps({"alg": "none", "kid": scene.key().kid, "typ": "at+jwt"}).encode()
    claims = scene.owner.tokens["access_token"].split(".")[1]
    return Shown(f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{claims}.")


def _refresh_token_as_access_token(scene: Scene) -> Shown:
    return Shown(access=scene.owner.tokens["refresh_token"])


def _access_token_as_refresh_token(scene: Scene) -> Shown:
    return Shown(refresh=scene.owner.tokens["access_token"])


NOBODIES: dict[str, Callable[[Scene], Shown]] = {
    "anonymous": _anonymous,
    "erased person": _erased,
    "logged out": _logged_out,
    "before a password change": _before_a_password_change,
    "expired access token": _expired,
    "expired refresh token and its access token": _expired_sign_in,
    "foreign key": _foreign_key,
    "public key as a shared secret": _public_key_as_secret,
    "alg none": _unsigned,
    "refresh token as access token": _refresh_token_as_access_token,
    "access token as refresh token": _access_token_as_refresh_token,
}
"""Whoever has no sign-in that lives."""
