"""``python -m backend.roll_keys``: finishes erasures, so that no backup can give back what was erased.

Runs every six hours. ``--export`` makes an export of the keys and changes nothing else, for an operator who is about to
restore content while the database still answers.
"""

import argparse
import asyncio

from chassis import logs
from chassis.engine import connect
from chassis.settings import read_settings

from backend.keys.epochs import epoch_keys
from backend.keys.exports import exports_at
from backend.keys.exports_made import export_keys
from backend.keys.roll import Places, alone, roll
from backend.settings import RollSettings


def places_of(settings: RollSettings) -> Places:
    """Where keys are beside the database."""
    epochs = epoch_keys(
        settings.epoch_keys, secrets_key=settings.epoch_secrets_key, recovery_regions=settings.recovery_regions
    )
    return Places(epochs, exports_at(settings.key_exports, replicated=bool(settings.recovery_regions)))


async def run(settings: RollSettings, *, only_export: bool = False) -> None:
    """Roll where that is due, unless another run does."""
    places = places_of(settings)
    engine = connect(settings, pool_size=1)
    try:
        async with engine.connect() as connection:
            if not await alone(connection):
                logs.log("keys.roll_runs_already")
            elif only_export:
                proven = await export_keys(connection, places.epochs, places.exports)
                logs.log("keys.exported", people=proven.people, epoch=proven.active)
            else:
                await roll(connection, places)
    finally:
        await engine.dispose()


def main() -> None:
    """Run the task to its end."""
    parser = argparse.ArgumentParser(prog="python -m backend.roll_keys", description="Finishes erasures.")
    parser.add_argument("--export", action="store_true", help="make an export of the keys, and nothing else")
    chosen = parser.parse_args()
    settings = read_settings(RollSettings)
    logs.configure("info")
    asyncio.run(run(settings, only_export=chosen.export))


if __name__ == "__main__":
    main()
