"""Which streamed replies were in flight when a task was told to end, and what became of them.

The load balancer, the front of VPC Lattice and the emulator each wrote down when they did what (``rehearsal.fronts``,
``rehearsal.plugin.moments``), by the clock of this machine.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.failure import Failure
from rehearsal.places import FOLDER

EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Stream:
    """Of a reply, by a task: when its first and its last words passed (seconds since the epoch), and whether it ended
    in order."""

    address: str
    begun: float
    until: float
    in_order: bool


def in_flight(since: float, folder: Path = FOLDER) -> int:
    """How many replies were being streamed by tasks when these were told to end; all went on and ended in order.

    Args:
        since: When what is looked at began.
        folder: Where it was written down.

    Raises:
        Failure: no task was told to end, or one that streamed nothing at that moment; or a stream was cut off.
    """
    ended = [row for row in _rows(folder / "moments.jsonl") if row["what"] == "told to end" and row["at"] > since]
    if not ended:
        raise Failure("no task was told to end")
    streams = [*_of_load_balancer(folder / "haproxy.log"), *_of_lattice(folder / "lattice.jsonl")]
    count = 0
    for task in ended:
        of_task = [stream for stream in streams if stream.address == task["address"]]
        over = [stream for stream in of_task if stream.begun < task["at"] < stream.until]
        if not over:
            raise Failure(f"nothing was in flight when the task at {task['address']} was told to end")
        if cut := [stream for stream in over if not stream.in_order]:
            raise Failure(f"{len(cut)} of {len(over)} streams in flight were cut off: {cut}")
        count += len(over)
    return count


def written(folder: Path = FOLDER) -> set[str]:
    """All replies that the model has ended, without blanks around them."""
    return {row["text"].strip() for row in _rows(folder / "moments.jsonl") if row["what"] == "written"}


def all_whole(followed: Iterable[str], by_the_model: set[str]) -> None:
    """Hold that people got replies as the model wrote them, to the last word.

    Args:
        followed: What they got.
        by_the_model: What ``written`` tells.

    Raises:
        Failure: one was not written so.
    """
    if other := [text for text in followed if text.strip() not in by_the_model]:
        raise Failure(f"{len(other)} replies are not what the model wrote; the first: {other[0]!r}")


def _of_load_balancer(log: Path) -> list[Stream]:
    rows = (row for row in _rows(log) if row["kind"].startswith(EVENTS))
    return [
        Stream(
            address=row["target"].partition("_")[0],
            begun=(row["until"] - row["milliseconds"]) / 1000,
            until=row["until"] / 1000,
            in_order=row["ended"] == "--",
        )
        for row in rows
    ]


def _of_lattice(log: Path) -> list[Stream]:
    rows = (row for row in _rows(log) if row["kind"].startswith(EVENTS))
    return [Stream(row["target"].partition(":")[0], row["begun"], row["until"], row["in_order"]) for row in rows]


def _rows(log: Path) -> list[dict[str, Any]]:
    """What stands there in JSON; HAProxy also says how its targets are."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{")]
