"""A rolling update is proven by streams that a task was giving when it was told to end, and that ended in order."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.failure import Failure
from rehearsal.in_flight import all_whole, in_flight, written

BACKEND, AI_CORE = "169.254.170.3", "169.254.170.4"


def _stop(address: str, at: float) -> dict[str, Any]:
    return {"what": "told to end", "at": at, "address": address}


def _balanced(address: str, begun: float, until: float, **other: Any) -> dict[str, Any]:
    line = {"target": f"{address}_8443", "kind": "text/event-stream; charset=utf-8", "ended": "--"}
    return line | {"until": until * 1000, "milliseconds": (until - begun) * 1000} | other


def _called(address: str, begun: float, until: float, **other: Any) -> dict[str, Any]:
    line = {"target": f"{address}:8443", "kind": "text/event-stream", "in_order": True}
    return line | {"begun": begun, "until": until} | other


def _write(folder: Path, *, moments: Any = (), haproxy: Any = (), lattice: Any = ()) -> Path:
    for name, rows in (("moments.jsonl", moments), ("haproxy.log", haproxy), ("lattice.jsonl", lattice)):
        (folder / name).write_text("[NOTICE] a word\n" + "".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_streams_that_went_on_when_their_task_was_told_to_end_are_counted(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        moments=[_stop(BACKEND, 50), _stop(BACKEND, 100), _stop(AI_CORE, 200)],
        haproxy=[_balanced(BACKEND, 90, 110), _balanced(BACKEND, 99, 101), _balanced(AI_CORE, 190, 210)],
        lattice=[_called(AI_CORE, 190, 210), _called(BACKEND, 195, 205)],
    )
    assert in_flight(60, folder) == 4


@pytest.mark.parametrize(
    "line",
    [
        _balanced(BACKEND, 100.1, 120),
        _balanced(BACKEND, 80, 99.9),
        _balanced(AI_CORE, 90, 110),
        _balanced(BACKEND, 90, 110, kind="application/json"),
    ],
    ids=["begun later", "ended before", "of another task", "no stream"],
)
def test_an_update_at_which_nothing_was_in_flight_proves_nothing(tmp_path: Path, line: dict[str, Any]) -> None:
    folder = _write(tmp_path, moments=[_stop(BACKEND, 100)], haproxy=[line])
    with pytest.raises(Failure, match="nothing was in flight"):
        in_flight(60, folder)


def test_each_task_that_is_told_to_end_needs_a_stream(tmp_path: Path) -> None:
    stops = [_stop(BACKEND, 100), _stop(AI_CORE, 100)]
    folder = _write(tmp_path, moments=stops, haproxy=[_balanced(BACKEND, 90, 110)])
    with pytest.raises(Failure, match=f"nothing was in flight when the task at {AI_CORE}"):
        in_flight(60, folder)


def test_an_update_that_ends_no_task_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no task"):
        in_flight(60, _write(tmp_path, moments=[_stop(BACKEND, 50)], haproxy=[_balanced(BACKEND, 40, 110)]))


@pytest.mark.parametrize(
    "lines",
    [
        {"haproxy": [_balanced(BACKEND, 90, 110), _balanced(BACKEND, 90, 110, ended="SD")]},
        {"lattice": [_called(BACKEND, 90, 110), _called(BACKEND, 90, 110, in_order=False)]},
    ],
    ids=["by the load balancer", "by Lattice"],
)
def test_a_stream_that_was_cut_off_fails_the_update(tmp_path: Path, lines: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="1 of 2 streams in flight were cut off"):
        in_flight(60, _write(tmp_path, moments=[_stop(BACKEND, 100)], **lines))


def test_a_reply_is_whole_when_the_model_wrote_just_that(tmp_path: Path) -> None:
    folder = _write(tmp_path, moments=[{"what": "written", "at": 1, "text": " The sea is wide. "}])
    all_whole(["The sea is wide."], written(folder))
    with pytest.raises(Failure, match="'The sea is'"):
        all_whole(["The sea is wide.", "The sea is"], written(folder))
