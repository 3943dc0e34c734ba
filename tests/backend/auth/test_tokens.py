"""Which access tokens are good."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from backend.auth import tokens as tokens_module
from backend.auth.signing_keys import SigningKeys, rotated
from backend.auth.tokens import AUDIENCE, ISSUER, TYPE, AccessTokens, Caller
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

DAY = 86_400
"""However long all tests take, what is good when they are collected is good still."""
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": str(uuid4()),
    "sid": str(uuid4()),
    "exp": int(time.time()) + DAY,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps({"keys": rotated([], 900, time.time())}))
    return path


def _read(stored: Path, token: str) -> Caller | None:
    async def run() -> Caller | None:
        keys = SigningKeys(str(stored))
        await keys.read()
        return await AccessTokens(keys, 600).read(token)

    return asyncio.run(run())


def _sign(stored: Path, claims: dict[str, Any], **header: Any) -> str:
    key = json.loads(stored.read_text())["keys"][0]
    return jwt.encode({"alg": "ES256", "kid": key["kid"], "typ": TYPE} | header, claims, ECKey.import_key(key))


def test_what_was_issued_is_read(stored: Path) -> None:
    async def run() -> None:
        keys = SigningKeys(str(stored))
        await keys.read()
        tokens, caller = AccessTokens(keys, 600), Caller(uuid4(), uuid4())
        assert await tokens.read(tokens.issue(caller)) == caller

    asyncio.run(run())


def test_a_good_token_made_by_hand_is_good(stored: Path) -> None:
    assert _read(stored, _sign(stored, GOOD)) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"nbf": int(time.time()) + DAY // 2},
        {"iss": "somebody else"},
        {"aud": "another service"},
        {"sub": "no uuid"},
        {"sub": None},
        {"sid": None},
    ],
    ids=lambda wrong: " ".join(f"{'no' if value is None else 'wrong'} {name}" for name, value in wrong.items()),
)
def test_a_token_with_a_wrong_claim_is_refused(stored: Path, wrong: dict[str, Any]) -> None:
    claims = {name: value for name, value in (GOOD | wrong).items() if value is not None}
    assert _read(stored, _sign(stored, claims)) is None


def test_a_token_that_brings_its_own_key_is_refused(stored: Path) -> None:
    kid = json.loads(stored.read_text())["keys"][0]["kid"]
    mine = ECKey.generate_key("P-256", private=True)
    own = {"jwk": mine.as_dict(private=False), "jku": "https://keys.example/mine", "kid": kid}
    assert _read(stored, jwt.encode({"alg": "ES256", "typ": TYPE} | own, GOOD, mine)) is None


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": "unknown"}], ids=str)
def test_a_token_with_a_wrong_header_is_refused(stored: Path, header: dict[str, Any]) -> None:
    assert _read(stored, _sign(stored, GOOD, **header)) is None


@pytest.mark.parametrize("head", [{"alg": "ES256", "kid": 7}, {"alg": "none"}, {}, [], 7], ids=str)
def test_a_head_that_is_none_is_refused(stored: Path, head: Any) -> None:
    written = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()
    _, claims, signature = _sign(stored, GOOD).split(".")
    assert _read(stored, f"{written}.{claims}.{signature}") is None


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(stored: Path) -> None:
    key = ECKey.import_key(json.loads(stored.read_text())["keys"][0])
    shared = OctKey.import_key(key.as_bytes(private=False).hex())
    header = {"alg": "HS256", "kid": key.kid, "typ": TYPE}
    assert _read(stored, jwt.encode(header, GOOD, shared)) is None


def test_a_token_that_was_read_before_still_expires(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        keys = SigningKeys(str(stored))
        await keys.read()
        tokens = AccessTokens(keys, 600)
        token = tokens.issue(Caller(uuid4(), uuid4()))
        assert await tokens.read(token) == await tokens.read(token) is not None
        expired = time.time() + 601
        monkeypatch.setattr(tokens_module.time, "time", lambda: expired)
        assert await tokens.read(token) is None

    asyncio.run(run())


def test_a_token_that_was_read_before_ends_with_its_key(stored: Path, tmp_path: Path) -> None:
    own = tmp_path / "keys.json"
    own.write_text(stored.read_text())

    async def run() -> None:
        keys = SigningKeys(str(own))
        await keys.read()
        tokens = AccessTokens(keys, 600)
        token = tokens.issue(Caller(uuid4(), uuid4()))
        assert await tokens.read(token)
        await asyncio.to_thread(own.write_text, json.dumps({"keys": rotated([], 900, time.time())}))
        await keys.read()
        assert await tokens.read(token) is None

    asyncio.run(run())


def test_only_so_many_tokens_are_remembered(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "REMEMBERED", 2)

    async def run() -> None:
        keys = SigningKeys(str(stored))
        await keys.read()
        tokens = AccessTokens(keys, 600)
        for _ in range(4):
            caller = Caller(uuid4(), uuid4())
            assert await tokens.read(tokens.issue(caller)) == caller
        assert len(tokens._verified) == 2  # pyright: ignore[reportPrivateUsage]

    asyncio.run(run())
