"""How much one person at full abuse slows another down: the other's median beside an attack over that without.

The attacker does all that the API lets them do, and what it does not, over ``CONNECTIONS`` connections at once and
without a pause: reads, exports, longest messages, streams, bodies that are too long or nested, floods of sign-ins,
registrations and invented tokens. They run in a process of the least priority, as their processor would not be ours.
"""

import asyncio
import itertools
import os
import signal
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx

from tests.support.person import API, PASSWORD, Person
from tests.support.running import ROOT, Sanctum

CONNECTIONS = 64
ROUNDS = 5
SAMPLES = 30
"""Reads of the other person in each half of a round; every fifth time they say something too."""
PAUSE_SECONDS = 0.05
"""Between two requests of the other person, who is no flood."""
SETTLE_SECONDS = 10
"""Until the attacker, who had been stopped, has used up what may be sent at once; or until all theirs is answered."""

Call = Callable[[], Coroutine[Any, Any, object]]


@dataclass(frozen=True)
class Factors:
    """Median beside the attack over median without."""

    reading: float
    saying: float
    attacks_a_second: float


def factors(sanctum: Sanctum) -> Factors:
    """Measure, in rounds with the attacker stopped and going on: the median of the rounds does not depend on what
    else happens on the machine now and then."""
    reading: list[float] = []
    saying: list[float] = []
    victims = [Person(sanctum.url, sanctum.ca).register() for _ in range(ROUNDS)]
    command = [sys.executable, "-m", __name__, sanctum.url, str(sanctum.ca)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as attacker:
        assert attacker.stdout
        attacker.stdout.readline()
        for victim in victims:
            quiet, attacked = (_medians(victim, attacker, go_on) for go_on in (signal.SIGSTOP, signal.SIGCONT))
            reading.append(attacked[0] / quiet[0])
            saying.append(attacked[1] / quiet[1])
            victim.http.close()
        answered, _ = attacker.communicate("stop\n")
    return Factors(statistics.median(reading), statistics.median(saying), float(answered))


def _medians(person: Person, attacker: subprocess.Popen[str], go_on: signal.Signals) -> tuple[float, float]:
    """Seconds to read one's conversations, and to say something and have the whole reply."""
    attacker.send_signal(go_on)
    time.sleep(SETTLE_SECONDS)
    conversation = person.converse()
    read: list[float] = []
    said: list[float] = []
    for number in range(SAMPLES):
        read.append(_seconds(lambda: person.call("GET", "/conversations")))
        if number % 5 == 0:
            said.append(_seconds(lambda: person.say(conversation, "What should I say when they ask why I left?")))
        time.sleep(PAUSE_SECONDS)
    return statistics.median(read), statistics.median(said)


def _seconds(call: Callable[[], httpx.Response]) -> float:
    begun = time.perf_counter()
    answer = call()
    seconds = time.perf_counter() - begun
    assert answer.status_code == 200, answer.text
    return seconds


class _Attacker:
    """Sends whatever may hurt; what is answered does not matter."""

    def __init__(self, client: aiohttp.ClientSession, person: Person) -> None:
        self._client = client
        self._person = person
        self._conversation = person.converse()
        self._token = {"Authorization": f"Bearer {person.tokens['access_token']}"}
        self.answered = 0

    async def go_on(self, first: int) -> None:
        """Attack until cancelled, beginning with another attack than the next connection."""
        for call in itertools.islice(itertools.cycle(self._calls()), first, None):
            try:
                await call()
                self.answered += 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(0.01)

    def _calls(self) -> list[Call]:
        said, nested = f"/conversations/{self._conversation}/messages", "[" * 30_000 + "]" * 30_000
        events = {"Accept": "text/event-stream"}
        someone = {"email": f"{uuid4()}@example.com", "password": PASSWORD}
        return [
            lambda: self._send("GET", "/conversations?limit=100"),
            lambda: self._send("GET", f"/conversations/{self._conversation}?limit=100"),
            lambda: self._send("POST", said, json={"content": "x" * 4000}),
            lambda: self._send("POST", said, json={"content": "Tell me everything."}, headers=events),
            lambda: self._send("POST", said, data=nested, headers={"Content-Type": "application/json"}),
            lambda: self._send("POST", said, data=b"x" * 1_000_000, headers={"Content-Type": "application/json"}),
            lambda: self._send("POST", "/conversations", json={"persona": "Gem"}),
            lambda: self._send("GET", "/users/me/export"),
            lambda: self._send("POST", "/auth/token", data={"username": self._person.email, "password": PASSWORD}),
            lambda: self._send("POST", "/auth/token", data={"username": f"{uuid4()}@example.com", "password": "wrong"}),
            lambda: self._send("POST", "/auth/register", json=someone),
            lambda: self._send("POST", "/auth/register", json=someone | {"email": f"{uuid4()}@example.com"}),
            lambda: self._send("POST", "/auth/refresh", json={"refresh_token": "invented"}),
            lambda: self._send("GET", "/conversations", headers={"Authorization": "Bearer invented"}),
            lambda: self._send("POST", "/auth/password", json={"old_password": "wrong", "new_password": PASSWORD}),
        ]

    async def _send(self, method: str, path: str, **more: Any) -> None:
        headers = self._token | more.pop("headers", {})
        async with self._client.request(method, API + path, headers=headers, **more) as answer:
            async for _ in answer.content.iter_any():
                pass


async def _attack(url: str, ca: Path) -> None:
    person = Person(url, ca).register()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=ssl.create_default_context(cafile=ca))
    async with aiohttp.ClientSession(url, connector=connector) as client:
        attacker = _Attacker(client, person)
        begun = time.monotonic()
        attacks = [asyncio.create_task(attacker.go_on(number)) for number in range(CONNECTIONS)]
        print("attacking", flush=True)  # noqa: T201 - whoever started it waits for it
        await asyncio.to_thread(sys.stdin.readline)
        for attack in attacks:
            attack.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)
        print(attacker.answered / (time.monotonic() - begun))  # noqa: T201 - the result
    person.http.close()


if __name__ == "__main__":
    os.nice(19)
    asyncio.run(_attack(sys.argv[1], Path(sys.argv[2])))
