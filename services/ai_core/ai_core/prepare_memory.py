"""One-off task: bring the memory store to this version's schema (``python -m ai_core.prepare_memory``)."""

import asyncio
from pathlib import Path

from chassis import logs
from chassis.migrations import migrate
from chassis.settings import read_settings

from ai_core.settings import MemorySettings, PrepareMemorySettings

MIGRATIONS = Path(__file__).parent / "migrations"


def main() -> None:
    """Safe to run again, and at the same time.

    Raises:
        SystemExit: a setting is missing or wrong.
    """
    logs.configure("info")
    read_settings(MemorySettings)
    settings = read_settings(PrepareMemorySettings)
    asyncio.run(migrate(MIGRATIONS, settings, settings.database_admin_secret))


if __name__ == "__main__":
    main()
