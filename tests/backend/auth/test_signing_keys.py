"""The rotation of the keys that tokens are signed with."""

import asyncio
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from backend.auth import signing_keys
from backend.auth.signing_keys import SETTLE_SECONDS, NoSigningKeys, SigningKeys, parse, rotated
from joserfc import jws

from tests.backend.process import Backend
from tests.support.person import Person

LIFE = 900
NOW = 2_000_000_000


def _kids(keys: list[dict[str, Any]]) -> list[str]:
    return [key["kid"] for key in keys]


def test_the_first_rotation_makes_the_first_key() -> None:
    (key,) = rotated(parse(None), LIFE, NOW)
    assert (key["kty"], key["crv"], key["use"], key["alg"], key["iat"]) == ("EC", "P-256", "sig", "ES256", NOW)
    assert key["d"]
    assert parse("") == parse(" ") == []


def test_a_key_stays_until_all_that_it_signed_has_expired() -> None:
    first = rotated([], LIFE, NOW)
    second = rotated(first, LIFE, NOW + 10)
    assert _kids(second)[1:] == _kids(first)
    # The first signs on until the second has settled, and its last token lives as long again.
    last_good = NOW + 10 + SETTLE_SECONDS + LIFE
    assert _kids(rotated(second, LIFE, last_good))[1:] == _kids(second)
    assert _kids(rotated(second, LIFE, last_good + 1))[1:] == _kids(second)[:1]


def test_a_new_key_signs_only_when_every_process_knows_it(tmp_path: Path) -> None:
    async def run() -> None:
        now = time.time()
        location = tmp_path / "keys.json"
        old, settled = rotated([], LIFE, now - 5000), rotated([], LIFE, now - SETTLE_SECONDS)
        new = rotated([], LIFE, now)
        for keys, signs in (([*new, *settled, *old], settled), ([*new, *old], old), (new, new)):
            location.write_text(json.dumps({"keys": keys}))
            read = SigningKeys(str(location))
            await read.read()
            assert read.current()[0] == signs[0]["kid"]

    asyncio.run(run())


def test_an_unknown_key_is_looked_for_but_not_too_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        location = tmp_path / "keys.json"
        first = rotated([], LIFE, NOW)
        second = rotated(first, LIFE, NOW + 1)
        location.write_text(json.dumps({"keys": first}))
        keys = SigningKeys(str(location))
        await keys.read()
        location.write_text(json.dumps({"keys": second}))
        assert await keys.find(second[0]["kid"]) is None
        monkeypatch.setattr(signing_keys, "UNKNOWN_REREAD_SECONDS", -1)
        assert await keys.find(second[0]["kid"])
        assert await keys.find("made up") is None

    asyncio.run(run())


def test_keys_are_read_again_also_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(signing_keys, "REREAD_SECONDS", 0.01)
        monkeypatch.setattr(signing_keys, "UNKNOWN_REREAD_SECONDS", 3600)
        location = tmp_path / "keys.json"
        first = rotated([], LIFE, NOW)
        location.write_text(json.dumps({"keys": first}))
        keys = SigningKeys(str(location))
        await keys.read()
        location.write_text("not JSON")
        fresh = asyncio.create_task(keys.keep_fresh())
        await asyncio.sleep(0.05)
        second = rotated(first, LIFE, NOW + 1)
        location.write_text(json.dumps({"keys": second}))
        async with asyncio.timeout(10):
            while await keys.find(second[0]["kid"]) is None:  # noqa: ASYNC110 - there is nothing to wait for but time
                await asyncio.sleep(0.01)
        fresh.cancel()

    asyncio.run(run())


def test_without_a_key_the_service_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NoSigningKeys, match="rotate_keys"):
        asyncio.run(SigningKeys(str(tmp_path / "none.json")).read())


def test_the_task_adds_a_key_and_tokens_of_the_old_one_stay_good(alice: Person, backend: Backend) -> None:
    before = parse(backend.signing_keys.read_text())
    backend.run_task("rotate_keys")
    after = parse(backend.signing_keys.read_text())
    assert _kids(after)[1:] == _kids(before)
    assert stat.S_IMODE(backend.signing_keys.stat().st_mode) == 0o600
    assert alice.call("GET", "/conversations").status_code == 200
    assert alice.sign_in().status_code == 200
    assert alice.call("GET", "/conversations").status_code == 200


def test_a_token_names_its_key_and_its_kind(alice: Person, backend: Backend) -> None:
    token = jws.extract_compact(alice.tokens["access_token"].encode())
    headers = token.headers()
    assert headers["alg"] == "ES256"
    assert headers["typ"] == "at+jwt"
    assert headers["kid"] in _kids(parse(backend.signing_keys.read_text()))
    claims = json.loads(token.payload)
    assert claims.keys() == {"iss", "aud", "sub", "sid", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 900
