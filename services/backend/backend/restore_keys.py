"""``python -m backend.restore_keys``: makes a database that was restored from a backup readable, for those who live.

For an operator, before any service uses the database, whose schema is of this version already. On AWS it is run with
the task definition of ``roll_keys`` and another command. All or nothing happens, in one transaction.
"""

import argparse
import asyncio
from contextlib import closing
from functools import cache

from chassis import logs
from chassis.engine import connect
from chassis.settings import read_settings

from backend.keys.epochs import EpochGone
from backend.keys.exports_format import ExportDamaged
from backend.keys.restored import Report, restore
from backend.keys.roll import alone
from backend.roll_keys import places_of
from backend.settings import RollSettings

DESCRIPTION = """\
Gives a database that was restored from a backup the keys of the newest export. Keys that the backup has itself are not
used, but for people who registered after the export was made. Who has no key afterwards was erased since the backup
was made, and is removed. Somebody who was erased after the export was made comes back: a receipt tells nobody who it
was, so look for erasures since then in the logs (account.erased) and have them done again.
"""


async def run(settings: RollSettings, name: str | None, *, yes: bool) -> Report:
    """Restore the keys; people are removed only with ``yes``.

    Raises:
        SystemExit: nothing was changed; says why.
    """
    places = places_of(settings)
    names = places.exports.names()
    if not names:
        raise SystemExit("There is no export of keys in KEY_EXPORTS.")
    engine = connect(settings, pool_size=1)
    try:
        async with engine.connect() as connection:
            if not await alone(connection):
                raise SystemExit("A roll is under way in this database. Nothing was changed.")
            with closing(places.exports.read(name or names[-1])) as file:
                async with connection.begin():
                    report = await restore(connection, file, cache(places.epochs.read))
                    _tell(report)
                    if report.removed and not yes:
                        raise SystemExit(
                            f"{report.removed} people would be removed (see above). Nothing was changed. "
                            "Give --yes to restore the keys and remove them."
                        )
    except ExportDamaged as error:
        raise SystemExit(f"{error}. Nothing was changed.") from None
    except EpochGone:
        raise SystemExit("The epoch of this export is gone: there is a newer one. Nothing was changed.") from None
    finally:
        await engine.dispose()
    logs.log("keys.restored", people=report.restored + report.newer, removed=report.removed)
    return report


def _tell(report: Report) -> None:
    logs.log(
        "keys.restore",
        restored=report.restored,
        newer=report.newer,
        erased=report.erased,
        unreadable=report.unreadable,
        without_content=report.without_content,
    )


def main() -> None:
    """Run the command to its end."""
    parser = argparse.ArgumentParser(prog="python -m backend.restore_keys", description=DESCRIPTION)
    parser.add_argument("export", nargs="?", metavar="EXPORT", help="the name of an export; the newest where left out")
    parser.add_argument("--yes", action="store_true", help="remove the people who have no key afterwards")
    chosen = parser.parse_args()
    settings = read_settings(RollSettings)
    logs.configure("info")
    asyncio.run(run(settings, chosen.export, yes=chosen.yes))


if __name__ == "__main__":
    main()
