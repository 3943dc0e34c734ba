"""Bounds the guessing of passwords. Only failures count, and they are counted in the database, for all processes."""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from chassis.problems import Problem
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.schema import sign_in_failures as failures
from backend.settings import Settings


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in: the account, as a hash, and where it came from."""

    account: bytes
    address: str


def attempt(email: str, address: str) -> Attempt:
    """The attempt for ``email`` from an address as ``address_of`` gives it."""
    return Attempt(account_of(email), address)


def address_of(host: str | None) -> str:
    """The address that ``host`` is limited by: an IPv6 address stands for its /64, which is what one line is given."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or ip_network((address, 64), strict=False).network_address
    return str(address)


def account_of(email: str) -> bytes:
    """What stands for an account here: its e-mail would be more than is needed."""
    return sha256(email.encode()).digest()


class Throttle:
    """The limits on failed sign-ins."""

    def __init__(self, settings: Settings) -> None:
        self._per_account = settings.sign_in_failures_per_account
        self._per_address = settings.sign_in_failures_per_address
        self._window = settings.sign_in_window_seconds

    async def check(self, connection: AsyncConnection, tried: Attempt) -> None:
        """Pass, or end the request.

        Raises:
            Problem: 429 when there were too many failures; ``Retry-After`` says when the first of them is forgotten.
        """
        here = failures.c.address == tried.address
        for which, limit in (
            (here & (failures.c.account == tried.account), self._per_account),
            (here, self._per_address),
        ):
            age = func.extract("epoch", func.clock_timestamp() - failures.c.failed_at)
            # The limit-th newest failure: while it is within the window there are at least that many.
            statement = select(age).where(which).order_by(failures.c.failed_at.desc()).offset(limit - 1).limit(1)
            seconds = await connection.scalar(statement)
            if seconds is not None and seconds < self._window:
                headers = {"Retry-After": str(int(self._window - float(seconds)) + 1)}
                raise Problem(429, "Too many failed sign-ins.", headers=headers)

    async def failed(self, connection: AsyncConnection, tried: Attempt) -> None:
        """Count a failure, unless others that ran meanwhile have already used up the limit.

        Raises:
            Problem: 429 as ``check``.
        """
        await self._one_at_a_time(connection, tried)
        await self.check(connection, tried)
        await connection.execute(insert(failures).values(account=tried.account, address=tried.address))

    async def succeeded(self, connection: AsyncConnection, tried: Attempt) -> None:
        """Forget this account's failures from this address.

        Raises:
            Problem: 429 as ``check``: of guesses made at the same time no more are answered than one after another.
        """
        await self._one_at_a_time(connection, tried)
        await self.check(connection, tried)
        await connection.execute(
            delete(failures).where(failures.c.account == tried.account, failures.c.address == tried.address)
        )

    async def _one_at_a_time(self, connection: AsyncConnection, tried: Attempt) -> None:
        key = int.from_bytes(sha256(tried.address.encode()).digest()[:8], signed=True)
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
