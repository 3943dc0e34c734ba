"""``python -m backend.migrate``: brings the user database to this version's schema and makes the backend's role."""

import asyncio
from pathlib import Path

from chassis import logs
from chassis.migrations import migrate
from chassis.settings import read_settings

from backend.settings import MigrationSettings
from backend.tighten import tighten

MIGRATIONS = Path(__file__).parent / "migrations"


def main() -> None:
    """Run the task to its end."""
    settings = read_settings(MigrationSettings)
    logs.configure("info")
    asyncio.run(migrate(MIGRATIONS, settings, settings.database_admin_secret, then=tighten))


if __name__ == "__main__":
    main()
