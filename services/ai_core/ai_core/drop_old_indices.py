"""An operator's command: delete the memory's indices of earlier versions (``python -m ai_core.drop_old_indices``).

No deployment does this: until it is done, what an earlier version had is there to look at.
"""

import asyncio

from chassis import logs
from chassis.settings import read_settings

from ai_core.memory.opensearch_client import open_client
from ai_core.memory.opensearch_index import drop_old
from ai_core.settings import MemorySettings


def main() -> None:
    """Delete them; nothing where there are none.

    Raises:
        SystemExit: the memory is not in OpenSearch, or a setting is missing or wrong.
    """
    logs.configure("info")
    memory = read_settings(MemorySettings)
    if memory.memory_store != "opensearch":
        raise SystemExit("The memory is not in OpenSearch: there are no indices of it.")
    asyncio.run(_drop(memory))


async def _drop(memory: MemorySettings) -> None:
    client = open_client(memory)
    try:
        await drop_old(client)
    finally:
        await client.close()


if __name__ == "__main__":
    main()
