"""Bounds the guessing of passwords. Only failures count, and they are counted in the database, for all processes."""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from chassis.direct import Built, Connection
from chassis.problems import Problem
from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary, Text, bindparam, delete, func, insert, select

from backend.schema import sign_in_failures as failures
from backend.settings import Settings

_here = failures.c.address == bindparam("from")
_this = _here & (failures.c.account == bindparam("whose"))


def _age(which: ColumnElement[bool]) -> Built:
    """The age in seconds of the newest failure but ``before``."""
    age = func.extract("epoch", func.clock_timestamp() - failures.c.failed_at)
    newest_first = select(age).where(which).order_by(failures.c.failed_at.desc())
    return Built(newest_first.offset(bindparam("before", type_=Integer())).limit(1))


_AGE_HERE, _AGE_OF_THIS = _age(_here), _age(_this)
_ADD = Built(
    insert(failures).values(account=bindparam("whose", type_=LargeBinary()), address=bindparam("from", type_=Text()))
)
_FORGET = Built(delete(failures).where(_this))
_WAIT = Built(select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger()))))


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

    async def check(self, connection: Connection, tried: Attempt) -> None:
        """Pass, or end the request.

        Raises:
            Problem: 429 when there were too many failures; ``Retry-After`` says when the first of them is forgotten.
        """
        for age, values, limit in (
            (_AGE_OF_THIS, _values(tried), self._per_account),
            (_AGE_HERE, {"from": tried.address}, self._per_address),
        ):
            # The limit-th newest failure: while it is within the window there are at least that many.
            for row in await connection.rows(age, **values, before=limit - 1):
                if row[0] < self._window:
                    headers = {"Retry-After": str(int(self._window - float(row[0])) + 1)}
                    raise Problem(429, "Too many failed sign-ins.", headers=headers)

    async def failed(self, connection: Connection, tried: Attempt) -> None:
        """Count a failure, unless others that ran meanwhile have already used up the limit.

        Raises:
            Problem: 429 as ``check``.
        """
        await self._one_at_a_time(connection, tried)
        await self.check(connection, tried)
        await connection.rows(_ADD, **_values(tried))

    async def succeeded(self, connection: Connection, tried: Attempt) -> None:
        """Forget this account's failures from this address.

        Raises:
            Problem: 429 as ``check``: of guesses made at the same time no more are answered than one after another.
        """
        await self._one_at_a_time(connection, tried)
        await self.check(connection, tried)
        await connection.rows(_FORGET, **_values(tried))

    async def _one_at_a_time(self, connection: Connection, tried: Attempt) -> None:
        lock = int.from_bytes(sha256(tried.address.encode()).digest()[:8], signed=True)
        await connection.rows(_WAIT, lock=lock)


def _values(tried: Attempt) -> dict[str, object]:
    return {"whose": tried.account, "from": tried.address}
