"""Asks all checks at the same time, and says each answer as it comes."""

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from infra.preflight.answers import Answer, unknown
from infra.preflight.aws import AwsError, NotAllowed
from infra.preflight.check import Check

T = TypeVar("T")

SECONDS = 180
"""After which what is not answered is not known."""


def answers_of(check: Check[T], inquiry: T) -> list[Answer]:
    """All answers of one check; never raises."""
    found: list[Answer] = []
    try:
        for answer in check.ask(inquiry):
            found.append(answer)  # noqa: PERF402  # what came before an error counts
    except NotAllowed as error:
        found.append(unknown(f"these credentials may not ask: {error.permission} is missing"))
    except AwsError as error:
        found.append(unknown(f"AWS gave no answer: {error}"))
    except Exception as error:  # noqa: BLE001  # one answer of an unexpected form must not cost the others
        found.append(unknown(f"the answer of AWS was not understood: {type(error).__name__}: {error}"))
    return found or [unknown("nothing was found out")]


def ask_all(
    checks: Iterable[Check[T]], inquiry: T, seconds: float = SECONDS
) -> Iterator[tuple[Check[T], list[Answer]]]:
    """Each check with its answers, in the order in which they come."""
    done: queue.SimpleQueue[tuple[Check[T], list[Answer]]] = queue.SimpleQueue()
    waiting = {check.title: check for check in checks}

    def work(check: Check[T]) -> None:
        done.put((check, answers_of(check, inquiry)))

    for check in waiting.values():
        threading.Thread(target=work, args=(check,), daemon=True).start()
    end = time.monotonic() + seconds
    while waiting:
        try:
            check, answers = done.get(timeout=max(0, end - time.monotonic()))
        except queue.Empty:
            break
        del waiting[check.title]
        yield check, answers
    for check in waiting.values():
        yield check, [unknown(f"no answer in {seconds:g} seconds")]
