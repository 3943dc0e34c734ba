"""People who talk all the while, each in another way, and write down what they are told."""

import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.faults.ledger import Entry, Ledger, Told
from tests.support.person import API, Person, assert_problem
from tests.support.waiting import eventually

PAUSE_SECONDS = 0.1
"""Between two attempts, and so the most that a client adds to what a machine has to do."""
RETRY_SECONDS = 60
"""How long a message with a key is tried again before that counts as lost: longer than a start of everything, on
however busy a machine."""
_PROBLEMS = {503: Told.UNAVAILABLE, 409: Told.BUSY, 429: Told.REFUSED}


def send(entry: Entry, *, stream: bool) -> None:
    """One attempt to send the message, written down in ``entry``."""
    begun = time.monotonic()
    try:
        told = _send(entry, stream=stream)
    except httpx.TransportError:
        told = Told.CUT
    except (AssertionError, ValueError, KeyError) as error:
        told, entry.wrong = Told.WRONG, repr(error)
    entry.told.append((told, begun))


def _send(entry: Entry, *, stream: bool) -> Told:
    token = entry.person.tokens["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    headers |= {"Accept": "text/event-stream"} if stream else {}
    headers |= {"Idempotency-Key": entry.key} if entry.key else {}
    path = f"{API}/conversations/{entry.conversation}/messages"
    with entry.person.http.stream("POST", path, json={"content": entry.words}, headers=headers) as answer:
        if answer.status_code != 200:
            answer.read()
            told = _PROBLEMS.get(answer.status_code, Told.WRONG)
            assert told != Told.WRONG, (answer.status_code, answer.text)
            assert_problem(answer, answer.status_code)
            assert "retry-after" in answer.headers
            return told
        if not stream:
            answer.read()
            entry.reply = answer.json()
            return Told.ANSWERED
        return _follow(entry, answer)


def _follow(entry: Entry, answer: httpx.Response) -> Told:
    """Read a stream: what came piece by piece is what its last event says as a whole."""
    pieces = ""
    for line in answer.iter_lines():
        if not line.startswith("data:"):
            continue
        event: dict[str, Any] = json.loads(line.removeprefix("data:"))
        match event["type"]:
            case "delta":
                pieces += event["content"]
            case "message":
                assert event["message"]["content"] == pieces
                entry.reply = event["message"]
                return Told.ANSWERED
            case _:
                assert event["problem"]["status"] == 503, event
                return Told.BROKEN
    return Told.CUT


@dataclass(frozen=True)
class Way:
    """How somebody sends messages."""

    name: str
    stream: bool
    keyed: bool


WAYS = tuple(
    Way(f"{'stream' if stream else 'json'}{' with a key' if keyed else ''}", stream=stream, keyed=keyed)
    for stream in (False, True)
    for keyed in (False, True)
)


class Talker(threading.Thread):
    """One person who talks until told to stop; who sends a key tries again until there is an answer."""

    def __init__(self, person: Person, way: Way, ledger: Ledger, stop: threading.Event, pause: float) -> None:
        super().__init__(name=way.name)
        self._pause = pause
        self._person, self._way, self._ledger, self._stopping = person, way, ledger, stop
        self.conversation = person.converse()

    def run(self) -> None:
        """Talk; every other reply takes its time, so that there are always some half written."""
        slowly = False
        while not self._stopping.is_set():
            words = f"{'speak slowly about' if slowly else 'tell me of'} {self._way.name} {uuid4().hex}"
            slowly = not slowly
            entry = Entry(self._person, self.conversation, words, uuid4().hex if self._way.keyed else None)
            self._ledger.add(entry)
            self._say(entry)
            time.sleep(self._pause)

    def latest(self) -> str:
        """What came of the newest two messages."""
        mine = [entry for entry in list(self._ledger.entries) if entry.conversation == self.conversation]
        said = "; ".join(f"{entry.words}: {entry.history()}" for entry in mine[-2:])
        return f"{self.name} ({'goes on' if self.is_alive() else 'ended'}): {said}"

    def _say(self, entry: Entry) -> None:
        send(entry, stream=self._way.stream)
        if not entry.key:
            return
        end = time.monotonic() + RETRY_SECONDS
        # Broken off twice is the same answer again: that reply is stored as interrupted.
        while not entry.reply and not entry.wrong and [told for told, _ in entry.told].count(Told.BROKEN) < 2:
            time.sleep(PAUSE_SECONDS)
            send(entry, stream=self._way.stream)
            if time.monotonic() > end and not entry.reply:
                entry.wrong = f"no reply with its key in {RETRY_SECONDS} s: {entry.history()}"


class Load:
    """All of ``people`` talk while inside the block, one in each way that there is, ``pause`` seconds after a reply."""

    def __init__(self, people: list[Person], *, pause: float = PAUSE_SECONDS) -> None:
        self.ledger = Ledger()
        self.person = people[0]
        self._beside = ThreadPoolExecutor()
        self._stop = threading.Event()
        ways = [WAYS[number % len(WAYS)] for number in range(len(people))]
        self._talkers = [Talker(*both, self.ledger, self._stop, pause) for both in zip(people, ways, strict=True)]

    def __enter__(self) -> Self:
        for talker in self._talkers:
            talker.start()
        self.wait_well(time.monotonic())
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for talker in self._talkers:
            talker.join()
        self._beside.shutdown()

    def say_beside(self, words: str, expected: Told, *, stream: bool) -> Future[None]:
        """Have ``person`` say something beside the load; to be told other than ``expected`` is wrong.

        In a conversation of its own: a message without a reply is part of what the model reads before the next.
        """
        entry = self.ledger.add(Entry(self.person, self.person.converse(), words))

        def say() -> None:
            send(entry, stream=stream)
            if [told for told, _ in entry.told] != [expected]:
                entry.wrong = f"{entry.history()}, and not {expected}"

        return self._beside.submit(say)

    def wait_well(self, since: float, seconds: float = 30) -> float:
        """Wait until everybody was answered on an attempt begun after ``since``; the seconds from then until now.

        Raises:
            TimeoutError: somebody was not, in so many seconds.
        """
        try:
            eventually(lambda: not self._unanswered(since), seconds)
        except TimeoutError:
            latest = "\n".join(talker.latest() for talker in self._unanswered(since))
            raise TimeoutError(f"not answered after {seconds} s:\n{latest}") from None
        return time.monotonic() - since

    def wait_told(self, *outcomes: Told, since: float) -> None:
        """Wait until somebody was told one of ``outcomes`` on an attempt begun after ``since``."""
        eventually(
            lambda: any(
                told in outcomes and begun >= since for entry in list(self.ledger.entries) for told, begun in entry.told
            ),
            60,  # on a full disk PostgreSQL first fills the pages and the log it already has
        )

    def _unanswered(self, since: float) -> list[Talker]:
        served = {
            entry.conversation
            for entry in list(self.ledger.entries)
            for told, begun in list(entry.told)
            if told == Told.ANSWERED and begun >= since
        }
        return [talker for talker in self._talkers if talker.conversation not in served]


def close(people: list[Person]) -> None:
    """Close the connections of ``people``."""
    for person in people:
        with suppress(OSError):
            person.http.close()
