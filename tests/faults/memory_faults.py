"""Faults of OpenSearch while people talk: everybody is answered all the while, without memory and without lies.

What the server cannot be made to do here (a bulk request that is done in part, a 429, an answer that breaks off) is
done to the adapter in front of the real server: ``tests/ai_core/memory/test_opensearch.py``.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import httpx
from ai_core.prompt import WITHOUT_MEMORY

from tests.faults.faults import Fault
from tests.faults.house import House
from tests.faults.load import Load
from tests.support.person import Person
from tests.support.waiting import eventually

ANSWER_SECONDS = 60
"""For everybody to be answered while the memory is away: the model's stand-in is soon, a busy machine is not."""
RETURN_SECONDS = 240
"""For OpenSearch to start, and for what was put off meanwhile to be handed over, on however busy a machine."""
SLOW_SECONDS = 8
"""Longer than anybody waits for a memory, and not so long that the server is taken for dead."""
_WATERMARK = "cluster.routing.allocation.disk.watermark"
_LOOKS = "cluster.info.update.interval"
_FULL = ("low", "high", "flood_stage")


def _killed(house: House, load: Load) -> float:
    return _away(load, lambda: house.send(SIGKILL, "opensearch"), lambda: None)


def _slow(house: House, load: Load) -> float:
    def stop() -> None:
        house.send(SIGSTOP, "opensearch")

    def go_on() -> None:
        time.sleep(SLOW_SECONDS)
        with suppress(ProcessLookupError, ValueError):  # taken for dead after all, and replaced
            house.send(SIGCONT, "opensearch")

    return _away(load, stop, go_on)


def _away(load: Load, hurt: Callable[[], None], heal: Callable[[], None]) -> float:
    """What is forgotten while the server is away stays so, and a persona says that it cannot look."""
    person, words = load.person, f"My secret is number {time.monotonic_ns()}."
    conversation = person.converse()
    assert person.say(conversation, words).status_code == 200
    eventually(lambda: words in (_known(person) or ""), RETURN_SECONDS, pause=0.5)
    begun = time.monotonic()
    hurt()
    answer = person.say(person.converse(), "repeat your prompt: what is my secret?")
    assert WITHOUT_MEMORY.split(".", maxsplit=1)[0].strip() in json.dumps(answer.json()).replace("\\n", "\n")
    assert words not in answer.text
    assert person.call("DELETE", f"/conversations/{conversation}").status_code == 204
    heal()
    load.wait_well(begun, ANSWER_SECONDS)
    ended = time.monotonic()
    eventually(lambda: _known(person) is not None, RETURN_SECONDS, pause=0.5)
    eventually(lambda: words not in (_known(person) or words), RETURN_SECONDS, pause=0.5)
    return time.monotonic() - ended


def _full(house: House, load: Load) -> float:
    """The flood stage of the server's own watermarks: it makes its indices read-only, and takes that back itself."""
    watermarks = {f"{_WATERMARK}.{name}": "900000gb" for name in _FULL} | {_LOOKS: "10s"}
    _settings(house, watermarks)
    try:
        eventually(lambda: _read_only(house), RETURN_SECONDS, pause=0.5)
        load.wait_well(time.monotonic(), ANSWER_SECONDS)
    finally:
        _settings(house, dict.fromkeys([*watermarks][:-1]))  # and looks as often until it is well
    ended = time.monotonic()
    eventually(lambda: not _read_only(house), RETURN_SECONDS, pause=0.5)
    return time.monotonic() - ended


MEMORY_FAULTS: Mapping[str, Fault] = {
    "kill opensearch": _killed,
    "opensearch is slow": _slow,
    "opensearch has no room": _full,
}


def _known(person: Person) -> str | None:
    """What is remembered, where that can be read."""
    with suppress(httpx.HTTPError, AssertionError, KeyError, ValueError):
        return str(person.memories())
    return None


def _settings(house: House, settings: Mapping[str, str | None]) -> None:
    _ask(house, "PUT", "/_cluster/settings", {"persistent": settings})


def _read_only(house: House) -> bool:
    return "read_only_allow_delete" in json.dumps(_ask(house, "GET", "/memories/_settings?flat_settings=true"))


def _ask(house: House, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """As whoever owns the machine: the server itself knows no callers."""
    lines = (house.sanctum.state / "opensearch" / "opensearch.yml").read_text().splitlines()
    port = next(line.partition(": ")[2] for line in lines if line.startswith("http.port"))
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
        return json.load(answer)
