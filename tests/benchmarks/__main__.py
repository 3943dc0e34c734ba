"""Measures, now and on this machine, what the README claims: ``make bench``.

Everything is measured from outside, over the public address; CPU and memory are read from ``/proc``.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.prompts import question, words_for
from tests.support.inside import cpu_seconds, process_of, resident_bytes
from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.running import Sanctum, running

REPLIES = 20
MESSAGES = 200
MESSAGES_A_CONVERSATION = 10
PROMPT_TOKENS = 400


def report(what: str, measured: float, unit: str, most: float) -> None:
    """Print one figure beside the most it may be."""
    mark = "" if measured <= most else "   MORE THAN CLAIMED"
    print(f"{what:<66} {measured:8.2f} {unit:<3} (at most {most:g}){mark}")  # noqa: T201 - the output of this program


@contextmanager
def timed_down(state: Path, *options: str) -> Generator[Sanctum]:
    """A running Sanctum, and how long it took to stop it."""
    with running(state, *options) as sanctum:
        yield sanctum
        stopping = time.monotonic()
    report("stopped", time.monotonic() - stopping, "s", 10)


def first_token_seconds(sanctum: Sanctum, words: int) -> float:
    """From sending a message to the first streamed token, for somebody who was never seen before."""
    person = Person(sanctum.url, sanctum.ca).register()
    conversation = person.converse()
    begun = time.monotonic()
    events = person.stream(conversation, question(words))
    next(events)
    seconds = time.monotonic() - begun
    for _ in events:  # the next one is to find the model idle
        pass
    person.http.close()
    return seconds


def milliseconds_a_message(sanctum: Sanctum) -> float:
    """CPU of both services together for one message and all that follows from it (reply, memory).

    Of somebody who begins a new conversation every ``MESSAGES_A_CONVERSATION`` messages, and whose memory grows.
    """
    processes = [process_of(service, sanctum) for service in ("backend", "ai_core")]
    person = Person(sanctum.url, sanctum.ca).register()
    for number in range(20):
        person.say(person.converse(), f"warming up {number}")
    before = sum(map(cpu_seconds, processes))
    for first in range(0, MESSAGES, MESSAGES_A_CONVERSATION):
        conversation = person.converse()
        for number in range(first, first + MESSAGES_A_CONVERSATION):
            person.say(conversation, f"What should I say in interview number {number}?")
    time.sleep(2)  # what the outbox still hands over belongs to the messages
    person.http.close()
    return (sum(map(cpu_seconds, processes)) - before) / MESSAGES * 1000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "real"
        with running(state) as sanctum:
            report("started for the first time, packages installed", sanctum.seconds_to_start, "s", 120)
        with timed_down(state) as sanctum:
            report("started again", sanctum.seconds_to_start, "s", 8)
            words = words_for(PROMPT_TOKENS, sanctum)
            seconds = [first_token_seconds(sanctum, words) for _ in range(REPLIES)]
            report(
                f"first token, prompt of {PROMPT_TOKENS} tokens, median of {REPLIES}",
                statistics.median(seconds),
                "s",
                3,
            )
            report("resident memory of all processes", resident_bytes(sanctum.pid) / 1e9, "GB", 1.5)
        with stand_in() as options, running(Path(folder) / "quick", *options) as sanctum:
            report(f"CPU of a message but the model, mean of {MESSAGES}", milliseconds_a_message(sanctum), "ms", 25)


if __name__ == "__main__":
    sys.exit(main())
