"""One-off task: bring the memory store to this version's schema or index (``python -m ai_core.prepare_memory``)."""

import asyncio
import signal
from pathlib import Path

from chassis import logs
from chassis.migrations import migrate
from chassis.settings import read_settings

from ai_core.memory.opensearch_client import OpenSearchClient, open_client
from ai_core.memory.opensearch_index import prepare
from ai_core.settings import MemorySettings, PrepareMemorySettings

MIGRATIONS = Path(__file__).parent / "migrations"


def main() -> None:
    """Safe to run again, and at the same time.

    Raises:
        SystemExit: a setting is missing or wrong, or there are no credentials.
    """
    logs.configure("info")
    memory = read_settings(MemorySettings)
    if memory.memory_store == "opensearch":
        asyncio.run(_prepare_index(open_client(memory)))
        return
    settings = read_settings(PrepareMemorySettings)
    asyncio.run(migrate(MIGRATIONS, settings, settings.database_admin_secret))


async def _prepare_index(client: OpenSearchClient) -> None:
    # The end of a container: what was begun is put back in order.
    working = asyncio.ensure_future(prepare(client))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    try:
        await working
    finally:
        await client.close()


if __name__ == "__main__":
    main()
