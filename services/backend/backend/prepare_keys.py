"""``python -m backend.prepare_keys``: what the keys of people need before this version serves.

Makes the first epoch, keys for people whom a version of before there were keys registered, and the MACs of their
accounts as they are found. Safe to run again and at the same time, and goes on where it was broken off.
"""

import asyncio
from uuid import UUID

from chassis import logs
from chassis.direct import Built, Direct
from chassis.sealing.key_service import key_service
from chassis.settings import read_settings
from sqlalchemy import Integer, LargeBinary, Text, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.auth.credentials import Credentials, mac_of
from backend.keys.epochs import EpochKeys, epoch_keys
from backend.keys.missing import NOBODY, give_keys
from backend.keys.person_keys import NoKeys, PersonKeys
from backend.schema import key_epochs, users
from backend.settings import EpochSettings

FIRST_EPOCH = 1
PAGE = 200

_ANY_EPOCH = Built(select(key_epochs.c.epoch).limit(1))
_ADD_EPOCH = Built(insert(key_epochs).values(epoch=FIRST_EPOCH, state="active").on_conflict_do_nothing())
_WITHOUT_MAC = Built(
    select(users.c.user_id, users.c.email, users.c.hashed_password, users.c.rev)
    .where(users.c.user_id > bindparam("after", type_=Uuid()), users.c.mac.is_(None))
    .order_by(users.c.user_id)
    .limit(bindparam("most", type_=Integer()))
)
_SET_MAC = Built(
    update(users)
    .where(
        users.c.user_id == bindparam("user", type_=Uuid()),
        users.c.email == bindparam("was_email", type_=Text()),
        users.c.hashed_password == bindparam("was_hash", type_=Text()),
        users.c.rev == bindparam("was_rev", type_=Integer()),
        users.c.mac.is_(None),
    )
    .values(mac=bindparam("new_mac", type_=LargeBinary()))
    .returning(users.c.user_id)
)


async def prepare(settings: EpochSettings) -> None:
    """Bring everything about that is missing."""
    store = epoch_keys(
        settings.epoch_keys, secrets_key=settings.epoch_secrets_key, recovery_regions=settings.recovery_regions
    )
    direct = Direct(settings, size=4)
    await direct.open()
    keys = PersonKeys(direct, key_service(settings.key_service), store)
    try:
        await _make_first_epoch(direct, store)
        people = await give_keys(direct, keys)
        accounts = await _give_macs(direct, keys)
    finally:
        keys.close()
        await direct.close()
    logs.log("keys.prepared", people=people, accounts=accounts)


async def _make_first_epoch(direct: Direct, store: EpochKeys) -> None:
    if await direct.rows(_ANY_EPOCH):
        return
    # The key before the row: whoever finds the row can read the key.
    await asyncio.to_thread(store.create, FIRST_EPOCH)
    await direct.rows(_ADD_EPOCH)


async def _give_macs(direct: Direct, keys: PersonKeys) -> int:
    """The database takes accounts without a MAC only until each has one: see ``backend.tighten``."""
    given = 0
    after: UUID = NOBODY
    while people := await direct.rows(_WITHOUT_MAC, after=after, most=PAGE):
        for row in people:
            found = Credentials(**row)
            try:
                mac = mac_of(await keys.messages(found.user_id), found)
            except NoKeys:
                continue  # erased meanwhile
            was = {"was_email": found.email, "was_hash": found.hashed_password, "was_rev": found.rev}
            given += len(await direct.rows(_SET_MAC, user=found.user_id, new_mac=mac, **was))
        after = people[-1].user_id
    return given


def main() -> None:
    """Run the task to its end."""
    settings = read_settings(EpochSettings)
    logs.configure("info")
    asyncio.run(prepare(settings))


if __name__ == "__main__":
    main()
