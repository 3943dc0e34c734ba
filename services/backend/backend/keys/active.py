"""The epoch that new keys are wrapped in and erasures are written down in, held until the transaction ends."""

from chassis.direct import Built, Connection
from sqlalchemy import select

from backend.schema import key_epochs

_TRIES = 5
_HOLD = Built(select(key_epochs.c.epoch).where(key_epochs.c.state == "active").with_for_update(read=True))


class NoEpoch(LookupError):
    """No epoch is active: ``python -m backend.prepare_keys`` makes the first."""


async def hold_active(connection: Connection) -> int:
    """The active epoch, which no roll can retire before the transaction of ``connection`` ends.

    A roll waits for whoever holds it, so it finds every key that was made in the old epoch and takes nobody for erased
    from it whose rows are still there.

    Raises:
        NoEpoch: there is none yet.
    """
    for _ in range(_TRIES):
        if held := await connection.rows(_HOLD):
            return int(held[0].epoch)
        # Perhaps a roll retired it while this waited. The next statement sees what the roll has put in its place.
    raise NoEpoch("there is no active epoch: run python -m backend.prepare_keys")
