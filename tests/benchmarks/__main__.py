"""Measures, now and on this machine, what the README claims: ``make bench``, or the parts that are named after it.

``python -m tests.benchmarks memory retrieval`` measures two of ``PARTS``.

Everything is measured from outside, over the public address; CPU and memory are read from ``/proc``. Two parts need a
backend by itself, whose AI core is a stand-in: ``throughput`` and ``streams``.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks import streams, throughput
from tests.benchmarks.backend_alone import backend_alone
from tests.benchmarks.fairness import factors
from tests.benchmarks.figures import report
from tests.benchmarks.images import report_images
from tests.benchmarks.memory import report_memory
from tests.benchmarks.prompts import question, words_for
from tests.benchmarks.retrieval.report import report_retrieval
from tests.benchmarks.sealing import report_sealing
from tests.benchmarks.synthesis import report_synthesis
from tests.support.inside import cpu_seconds, process_of, processes_named, resident_bytes
from tests.support.openai_server import stand_in
from tests.support.person import Person
from tests.support.running import Sanctum, running

REPLIES = 20
MESSAGES = 200
MESSAGES_A_CONVERSATION = 10
PROMPT_TOKENS = 400


@contextmanager
def timed_down(state: Path, *options: str) -> Generator[Sanctum]:
    """A running Sanctum, and how long it took to stop it."""
    with running(state, *options) as sanctum:
        yield sanctum
        stopping = time.monotonic()
    report("stopped", time.monotonic() - stopping, "s", at_most=10)


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


def _cpu(sanctum: Sanctum) -> dict[str, float]:
    """CPU seconds of each service, and of all of PostgreSQL's processes."""
    services = {service: cpu_seconds(process_of(service, sanctum)) for service in ("backend", "ai_core")}
    return services | {"PostgreSQL": sum(map(cpu_seconds, processes_named("postgres", sanctum.pid)))}


def report_messages(sanctum: Sanctum) -> None:
    """What one message costs with all that follows from it (reply, memory), and how long it takes, at low load.

    Of somebody who begins a new conversation every ``MESSAGES_A_CONVERSATION`` messages, and whose memory grows.
    """
    person = Person(sanctum.url, sanctum.ca).register()
    for number in range(20):
        person.say(person.converse(), f"warming up {number}")
    before, seconds = _cpu(sanctum), list[float]()
    for first in range(0, MESSAGES, MESSAGES_A_CONVERSATION):
        conversation = person.converse()
        for number in range(first, first + MESSAGES_A_CONVERSATION):
            begun = time.monotonic()
            assert person.say(conversation, f"What should I say in interview number {number}?").status_code == 200
            seconds.append(time.monotonic() - begun)
    time.sleep(2)  # what the outbox still hands over belongs to the messages
    person.http.close()
    cost = {process: (used - before[process]) / MESSAGES * 1000 for process, used in _cpu(sanctum).items()}
    report(f"CPU of a message but the model, mean of {MESSAGES}", cost["backend"] + cost["ai_core"], "ms", at_most=25)
    for process, milliseconds in cost.items():
        report(f"  of it in {process}" if process != "PostgreSQL" else "  and in PostgreSQL", milliseconds, "ms")
    percentiles = statistics.quantiles(seconds, n=100)
    report("a message but the model, one at a time, p50", percentiles[49] * 1000, "ms")
    report("a message but the model, one at a time, p99", percentiles[98] * 1000, "ms")


def report_throughput() -> None:
    """The backend beside a bare endpoint."""
    with backend_alone() as (backend, _):
        shares = throughput.shares(backend)
    report("requests a CPU-second, bare endpoint = 1: one's conversations", shares.read, "", at_least=0.15)
    report("requests a CPU-second, bare endpoint = 1: a message", shares.message, "", at_least=0.10)
    report("  CPU of a bare read", shares.milliseconds_a_bare_read, "ms")
    report("  CPU of a bare message", shares.milliseconds_a_bare_message, "ms")
    report("  CPU of a read", shares.milliseconds_a_read, "ms")
    report("  CPU of a message in the backend, in a rush", shares.milliseconds_a_message, "ms")


def report_streams() -> None:
    """Memory while streams are open."""
    measured = streams.streams()
    for at in measured:
        more = at.megabytes - measured[0].megabytes
        report(f"memory more with {at.streams} open streams", more, "MB", at_most=300)
        report("  the next request", at.next_milliseconds, "ms")


def report_fairness(sanctum: Sanctum) -> None:
    """What one person at full abuse does to another."""
    slower = factors(sanctum)
    report("another's median read beside one person's full abuse", slower.reading, "×", at_most=1.5)
    report("another's median message and reply beside it", slower.saying, "×", at_most=1.5)


def report_system() -> None:
    """Sanctum as a whole: how it starts and stops, the first token, a message, and one person beside another."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "real"
        with running(state) as sanctum:
            report("started for the first time, packages installed", sanctum.seconds_to_start, "s", at_most=120)
        with timed_down(state) as sanctum:
            report("started again", sanctum.seconds_to_start, "s", at_most=8)
            words = words_for(PROMPT_TOKENS, sanctum)
            seconds = [first_token_seconds(sanctum, words) for _ in range(REPLIES)]
            report(
                f"first token, prompt of {PROMPT_TOKENS} tokens, median of {REPLIES}",
                statistics.median(seconds),
                "s",
                at_most=3,
            )
            report("resident memory of all processes", resident_bytes(sanctum.pid) / 1e9, "GB", at_most=1.5)
        with stand_in() as options, running(Path(folder) / "quick", *options) as sanctum:
            report_messages(sanctum)
        with stand_in() as options, running(Path(folder) / "limited", *options, "--limits", "prod") as sanctum:
            report_fairness(sanctum)


PARTS: dict[str, Callable[[], None]] = {
    "system": report_system,
    "throughput": report_throughput,
    "streams": report_streams,
    "sealing": report_sealing,
    "synthesis": report_synthesis,
    "images": report_images,
    "retrieval": lambda: asyncio.run(report_retrieval()),
    "memory": report_memory,
}


def main(names: Sequence[str]) -> None:
    """Measure and print the parts with these names, all where there are none."""
    if unknown := {*names} - {*PARTS}:
        sys.exit(f"No such part: {', '.join(sorted(unknown))}. There are {', '.join(PARTS)}.")
    for name in names or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
