"""``python -m rehearsal.fronts``: all fronts, until SIGTERM. What they are told is in the environment."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import asyncpg

from infra.services import read_services
from rehearsal.authority import Authority
from rehearsal.fronts import aurora, https
from rehearsal.fronts.balancer import Balancer
from rehearsal.fronts.emulator import Emulator
from rehearsal.fronts.health import Health
from rehearsal.fronts.names import Names


async def serve() -> None:
    """Until SIGTERM.

    Raises:
        ExceptionGroup: a front fails.
    """
    told = os.environ
    folder = Path(told["REHEARSAL_FOLDER"])
    authority = Authority(folder / "authority")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        emulator = Emulator(told["AWS_ENDPOINT_URL"], session)
        names = Names(emulator, authority)
        health = Health(names, read_services()["ai_core"].health)
        balancer = Balancer(folder, int(told["REHEARSAL_PORT"]), told["REHEARSAL_HOST"], authority)
        gateway = told["REHEARSAL_GATEWAY"]
        secured = https.Front(emulator, names, health, told["REHEARSAL_OPENSEARCH_URL"], folder / "lattice.jsonl")
        port = int(told["REHEARSAL_POSTGRES_PORT"])
        by_token = needs_token(port, Path(told["REHEARSAL_POSTGRES_ADMIN"]))
        database = aurora.Front(emulator, names, port, by_token)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with secured.serving(gateway), database.serving(gateway), asyncio.TaskGroup() as running:
            tasks = [
                running.create_task(work)
                for work in (names.follow(), health.follow(), balancer.follow(), _tell(emulator, balancer, health))
            ]
            await asyncio.to_thread((folder / "fronts.ready").touch)
            await stop.wait()
            for task in tasks:
                task.cancel()


def needs_token(port: int, admin_file: Path) -> Callable[[str], Awaitable[bool]]:
    """What tells whether a role signs in with tokens alone, as PostgreSQL says."""
    admin = json.loads(admin_file.read_text())

    async def asked(role: str) -> bool:
        connection = await cast("Any", asyncpg).connect(
            host="127.0.0.1",
            port=port,
            user=admin["username"],
            password=admin["password"],
            database="postgres",
            ssl=False,
        )
        try:
            return bool(await connection.fetchval(aurora.ROLE_QUERY, role))
        finally:
            await connection.close()

    return asked


async def _tell(emulator: Emulator, balancer: Balancer, health: Health) -> None:
    """Tell the emulator which targets are well: it waits for them before it stops others."""
    told: set[str] | None = None
    while True:
        well = balancer.well | health.well
        if well != told:
            await emulator.healthy(sorted(well))
            told = well
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(serve())
