"""What is over is removed, and nothing else."""

import asyncio

import pytest
from backend import housekeeping
from chassis.direct import Direct
from chassis.resting import Resting

from tests.backend.process import Backend
from tests.support.person import Person
from tests.support.waiting import eventually

COUNTS = """
    SELECT (SELECT count(*) FROM sign_ins), (SELECT count(*) FROM refresh_tokens),
           (SELECT count(*) FROM sign_in_failures), (SELECT count(*) FROM idempotency_keys),
           (SELECT count(*) FROM person_usage), (SELECT count(*) FROM address_usage)
"""
AGE = """
    UPDATE sign_ins SET expires_at = now() - interval '1 s' WHERE sign_in_id IN
        (SELECT sign_in_id FROM refresh_tokens GROUP BY sign_in_id HAVING count(*) = 1);
    UPDATE refresh_tokens SET used_at = now() - interval '3601 s' WHERE used_at IS NOT NULL;
    UPDATE sign_in_failures SET failed_at = now() - interval '901 s';
    UPDATE idempotency_keys SET created_at = now() - interval '86401 s' WHERE key = 'old';
    UPDATE person_usage SET since = now() - interval '86401 s' WHERE what <> 'messages_day';
    UPDATE address_usage SET since = now() - interval '86401 s';
"""


def test_what_is_over_is_removed(carol: Person, own_backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0.01)
    conversation = carol.converse()
    for key in ("old", "new"):
        carol.say(conversation, "hello", Idempotency_Key=key)
    carol.sign_in()
    carol.call("POST", "/auth/refresh", json={"refresh_token": carol.tokens["refresh_token"]})
    carol.sign_in("wrong password")
    assert own_backend.sql(COUNTS) == "2|3|1|2|5|1"

    async def run() -> None:
        settings = own_backend.read_settings()
        direct = Direct(settings)
        await direct.open()
        await housekeeping.clean(direct, settings)
        assert own_backend.sql(COUNTS) == "2|3|1|2|5|1"
        own_backend.sql("ALTER TABLE sign_ins RENAME TO away")
        cleaning = asyncio.create_task(housekeeping.keep_clean(direct, settings, Resting(300)))
        await asyncio.sleep(0.1)  # it fails, and goes on
        own_backend.sql("ALTER TABLE away RENAME TO sign_ins")
        own_backend.sql(AGE)
        await asyncio.to_thread(eventually, lambda: own_backend.sql(COUNTS) == "1|1|0|1|1|0")
        cleaning.cancel()
        await asyncio.gather(cleaning, return_exceptions=True)
        await direct.close()

    asyncio.run(run())
