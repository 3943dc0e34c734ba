"""What cannot be seen from outside: the work that is done and what happens between two statements."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from backend.auth import passwords as password_module
from backend.auth import repository
from backend.auth.passwords import Passwords
from backend.auth.schemas import Registration
from backend.auth.service import Auth
from backend.auth.signing_keys import SigningKeys
from backend.auth.throttle import Throttle, address_of
from backend.auth.tokens import AccessTokens, Caller
from backend.limits.allowances import Allowances
from chassis.direct import Direct
from chassis.problems import Problem

from tests.backend.process import Backend

HERE = "192.0.2.1"


class _CountingPasswords(Passwords):
    def __init__(self) -> None:
        super().__init__()
        self.verified: list[str] = []
        verify = self._hasher.verify

        def counted(password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the name it has there
            self.verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])
            return verify(password, hash)

        self._hasher.verify = counted  # pyright: ignore[reportAttributeAccessIssue] - counts and passes on


@asynccontextmanager
async def _auth(backend: Backend, **settings: Any) -> AsyncGenerator[tuple[Auth, _CountingPasswords]]:
    read = backend.read_settings(**settings)
    signing_keys = SigningKeys(read.signing_keys)
    await signing_keys.read()
    direct, passwords = Direct(read, size=1), _CountingPasswords()
    await direct.open()
    tokens = AccessTokens(signing_keys, 60)
    try:
        keys = backend.keys(direct)
        yield Auth(direct, keys, passwords, Throttle(read), tokens, Allowances(read), 60, 120), passwords
        keys.close()
    finally:
        passwords.close()
        await direct.close()


def test_an_unknown_email_costs_as_much_as_a_wrong_password(backend: Backend) -> None:
    async def run() -> None:
        async with _auth(backend) as (auth, passwords):
            email = f"{uuid4()}@example.com"
            await auth.register(Registration(email=email, password="long enough"), HERE)
            for tried in (email, f"{uuid4()}@example.com", "no e-mail at all"):
                with pytest.raises(Problem) as refused:
                    await auth.sign_in(tried, "wrong password", HERE)
                assert (refused.value.status, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
            # One verification each, all of the same cost.
            assert passwords.verified == ["$argon2id$v=19$m=19456,t=2,p=1"] * 3

    asyncio.run(run())


def test_an_address_is_limited_over_all_accounts(backend: Backend) -> None:
    async def run() -> None:
        async with _auth(backend, sign_in_failures_per_address=5) as (auth, _):
            host = "2001:db8:7::1"
            for number in range(5):
                with pytest.raises(Problem) as refused:
                    await auth.sign_in(f"{number}-{uuid4()}@example.com", "wrong password", address_of(host))
                assert refused.value.status == 401
            for neighbour in (host, "2001:db8:7::ffff"):  # the same /64 is the same line
                with pytest.raises(Problem) as refused:
                    await auth.sign_in(f"{uuid4()}@example.com", "wrong password", address_of(neighbour))
                assert refused.value.status == 429
                assert 0 < int(refused.value.headers["Retry-After"]) <= 900
            with pytest.raises(Problem) as refused:
                await auth.sign_in(f"{uuid4()}@example.com", "wrong password", address_of("2001:db8:8::1"))
            assert refused.value.status == 401

    asyncio.run(run())


def test_failures_are_forgotten_after_the_window(backend: Backend) -> None:
    async def run() -> None:
        async with _auth(backend, sign_in_failures_per_account=1) as (auth, _):
            email, host = f"{uuid4()}@example.com", "192.0.2.77"
            for status in (401, 429):
                with pytest.raises(Problem) as refused:
                    await auth.sign_in(email, "wrong password", address_of(host))
                assert refused.value.status == status
            backend.sql(
                "UPDATE sign_in_failures SET failed_at = now() - interval '901 s' WHERE address = :'host'", host=host
            )
            with pytest.raises(Problem) as refused:
                await auth.sign_in(email, "wrong password", address_of(host))
            assert refused.value.status == 401

    asyncio.run(run())


def test_a_sign_in_with_a_password_that_is_changed_meanwhile_is_none(backend: Backend) -> None:
    async def run() -> None:
        async with _auth(backend) as (auth, _):
            account = await auth.register(Registration(email=f"{uuid4()}@example.com", password="long enough"), HERE)
            async with auth.direct.begin() as connection:
                caller = Caller(account.user_id, uuid4())
                assert not await repository.add_sign_in(connection, caller, "another hash", b"token", 60)

    asyncio.run(run())


def test_a_rush_of_sign_ins_is_answered_503_and_not_queued_for_ever(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with _auth(backend) as (auth, _):
            monkeypatch.setattr(password_module, "MOST_WAITING", 1)
            first = asyncio.create_task(auth.passwords.hash("long enough", HERE))
            await asyncio.sleep(0)
            with pytest.raises(Problem) as refused:
                await auth.passwords.hash("long enough", HERE)
            assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "2"})
            await first
            assert await auth.passwords.verify("long enough", await auth.passwords.hash("long enough", HERE), HERE)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", HERE),
        ("::ffff:192.0.2.1", HERE),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_an_address_is_counted_as_one_line(host: str | None, address: str) -> None:
    assert address_of(host) == address
