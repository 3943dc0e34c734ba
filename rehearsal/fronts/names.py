"""What answers to which name, as it was a moment ago, and TLS with a certificate of the name that is asked for."""

import asyncio
import ssl

import aiohttp

from rehearsal.authority import Authority
from rehearsal.fronts.emulator import Emulator, Endpoint

SECONDS = 0.5


class Names:
    """Of ``emulator``; ``follow`` keeps them up to date."""

    def __init__(self, emulator: Emulator, authority: Authority) -> None:
        self._emulator = emulator
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.endpoints: dict[str, Endpoint] = {}

    async def follow(self) -> None:
        """Until cancelled. The emulator is busy now and then."""
        while True:
            try:
                self.endpoints = await self._emulator.endpoints()
            except (aiohttp.ClientError, TimeoutError) as error:
                print(f"names: {error!r}", flush=True)  # noqa: T201 - this is its log
            await asyncio.sleep(SECONDS)

    def tls(self, any_name: str = "unknown.invalid") -> ssl.SSLContext:
        """Serves each name that there is with a certificate of its own; any other ends the handshake."""

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            host = (name or "").lower()
            if host not in self.endpoints:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            if host not in self._contexts:
                self._contexts[host] = self._authority.server(host)
            connection.context = self._contexts[host]
            return None

        context = self._authority.server(any_name)
        context.sni_callback = choose
        return context
