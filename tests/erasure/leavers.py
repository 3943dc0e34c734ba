"""People who talk until they are erased, and write down what they are told."""

import json
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import uuid4

from tests.support.person import API, Person

PAUSE_SECONDS = 0.5
GONE = 401
BEFORE = frozenset({200, 401, 404})
"""What somebody may be told who asked before they were erased."""


@dataclass
class Leaver:
    """One of them, who streams every other reply."""

    person: Person
    said: list[str] = field(default_factory=list[str])
    told: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """When each attempt began (``time.monotonic``), and its status, or that of the problem a stream ended with."""
    receipt: str = ""
    """Where the receipt of the erasure can be read."""
    erased_at: float = 0.0

    def talk(self, stop: threading.Event) -> None:
        """Talk on, for a while also after being erased."""
        conversation = self.person.converse()
        while not stop.is_set() and [status for _, status in self.told].count(GONE) < 3:
            words = f"tell me of my secret {uuid4().hex}"
            self.said.append(words)
            begun = time.monotonic()
            self.told.append((begun, self._say(conversation, words, stream=len(self.said) % 2 == 0)))
            time.sleep(PAUSE_SECONDS)

    def erase(self) -> None:
        """Have all of it forgotten."""
        answer = self.person.call("DELETE", "/users/me")
        self.erased_at = time.monotonic()
        assert answer.status_code == 202, answer.text
        self.receipt = answer.headers["location"]

    def unkept(self) -> list[str]:
        """What they were told that they may not be."""
        wrong = [
            status for begun, status in self.told if status != GONE and (begun > self.erased_at or status not in BEFORE)
        ]
        found = [f"somebody who was erased was answered {status}" for status in wrong]
        receipt = self.person.http.get(self.receipt).json()
        return found if receipt["backups_unreadable_at"] else [*found, "a receipt does not say that it is finished"]

    def _say(self, conversation: str, words: str, *, stream: bool) -> int:
        headers = {"Authorization": f"Bearer {self.person.tokens['access_token']}"}
        headers |= {"Accept": "text/event-stream"} if stream else {}
        path = f"{API}/conversations/{conversation}/messages"
        with self.person.http.stream("POST", path, json={"content": words}, headers=headers) as answer:
            if not stream or answer.status_code != HTTPStatus.OK:
                answer.read()
                return answer.status_code
            events = (line.removeprefix("data:") for line in answer.iter_lines() if line.startswith("data:"))
            last = [json.loads(event) for event in events][-1]
        return HTTPStatus.OK if last["type"] == "message" else last["problem"]["status"]
