"""Health checks of VPC Lattice: which tasks it sends requests to."""

import asyncio
import ssl
from http import HTTPStatus

import aiohttp

from infra.services import Health as Rules
from rehearsal.fronts.names import Names


class Health:
    """Of the tasks that are registered with a service in VPC Lattice; ``follow`` keeps it up to date."""

    def __init__(self, names: Names, rules: Rules) -> None:
        self._names, self._rules = names, rules
        self.well: set[str] = set()

    async def follow(self) -> None:
        """Until cancelled."""
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        timeout = aiohttp.ClientTimeout(total=self._rules.timeout_seconds)
        connector = aiohttp.TCPConnector(ssl=tls, force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            checks: dict[str, asyncio.Task[None]] = {}
            while True:
                targets = {target for endpoint in self._names.endpoints.values() for target in endpoint.targets}
                for target in targets - checks.keys():
                    checks[target] = asyncio.create_task(self._check(session, target))
                for target in checks.keys() - targets:
                    checks.pop(target).cancel()
                    self.well.discard(target)
                await asyncio.sleep(0.2)

    async def _check(self, session: aiohttp.ClientSession, target: str) -> None:
        passed = failed = 0
        while True:
            if await self._answers(session, target):
                passed, failed = passed + 1, 0
            else:
                passed, failed = 0, failed + 1
            if passed >= self._rules.healthy_count:
                self.well.add(target)
            if failed >= self._rules.unhealthy_count:
                self.well.discard(target)
            await asyncio.sleep(self._rules.interval_seconds)

    async def _answers(self, session: aiohttp.ClientSession, target: str) -> bool:
        try:
            async with session.get(f"https://{target}{self._rules.live}") as answer:
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError):
            return False
