"""The emulator, as the fronts ask it."""

from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Endpoint:
    """What answers to a name: ``rehearsal.plugin.endpoints``."""

    kind: str
    resource: str
    account: str
    region: str
    targets: list[str]


class Emulator:
    """The emulator at ``url``."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{url}/_rehearsal"
        self._session = session

    async def endpoints(self) -> dict[str, Endpoint]:
        """By their names, in lower case."""
        return {host: Endpoint(**given) for host, given in (await self._ask("endpoints")).items()}

    async def refusal(self, **request: Any) -> str | None:
        """Why a request is refused; nothing where it may pass."""
        return await self._ask("refusal", **request)

    async def database(self, *, host: str, port: int, user: str, token: str) -> str | None:
        """Why a token opens no connection; nothing where it does."""
        return await self._ask("database", host=host, port=port, user=user, token=token)

    async def healthy(self, targets: list[str]) -> None:
        """Tell which targets pass the health checks of their load balancers."""
        await self._ask("healthy", targets=targets)

    async def _ask(self, question: str, **given: Any) -> Any:
        async with self._session.post(f"{self._url}/{question}", json=given) as answer:
            answer.raise_for_status()
            return await answer.json()
