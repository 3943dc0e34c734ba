"""The faults: each hurts a running Sanctum while people talk, and returns how soon it was well again by itself."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from signal import SIGKILL, SIGSTOP, Signals
from uuid import uuid4

import httpx

from local.certificates import LEAF_LIFE
from tests.faults.disk import full
from tests.faults.house import House
from tests.faults.ledger import Ledger, Told, discrepancies, read_stored, waiting
from tests.faults.load import Load
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually

MEMORY_SECONDS = 240
"""For all turns to reach the memory: one that could not be handed over is put off for up to half a minute, and of a
thousand that waited 17 a second were handed over by two cores with a load of 8, 8 a second with a load of 12."""

SETTLE_SECONDS = 30
"""For what else is still under way when all turns have been handed over, such as a reply that nobody waits for."""

Fault = Callable[[House, Load], float]
"""Returns the seconds from the end of its cause until everybody was answered again."""


def _killing(*victims: str, number: Signals = SIGKILL, seconds: float = 30) -> Fault:
    """Send a signal after which the processes are replaced by new ones."""

    def fault(house: House, load: Load) -> float:
        before = [house.process(victim) for victim in victims]
        house.send(number, *victims)
        at = time.monotonic()  # not before: everybody may be answered while the processes are looked for
        well = load.wait_well(at, seconds)
        assert not set(before) & {house.process(victim) for victim in victims}
        return well

    return fault


def _full_disk(house: House, load: Load) -> float:
    with full(house.data):
        load.wait_told(Told.UNAVAILABLE, since=time.monotonic())
    return load.wait_well(time.monotonic())


def _unless_ok(answer: httpx.Response) -> httpx.Response | None:
    return None if answer.status_code == 200 else answer


def _no_connections(house: House, load: Load) -> float:
    with house.holding_all_connections():
        assert_problem(eventually(lambda: _unless_ok(load.person.call("GET", "/conversations"))), 503)
    return load.wait_well(time.monotonic())


def _model(order: str, *told: Told, wait: bool = True) -> Fault:
    """A message that makes the model do so, and what whoever waits for the whole and who streams is told.

    Without ``wait`` that comes while other faults are done.
    """

    def fault(_house: House, load: Load) -> float:
        begun = time.monotonic()
        said = [
            load.say_beside(f"{order} {uuid4().hex}", expected, stream=stream)
            for stream, expected in zip((False, True), told, strict=True)
        ]
        if wait:
            for one in said:
                one.result()
        return load.wait_well(begun)

    return fault


def _bad_certificate(issued: timedelta) -> Fault:
    def fault(house: House, load: Load) -> float:
        sentence = "ai_core.pem is not valid, or not for another day: the services get new ones and start again"
        before, at = house.said(sentence), time.monotonic()
        house.spoil_certificate("ai_core", issued)
        house.send(SIGKILL, "ai_core")
        eventually(lambda: house.said(sentence) > before)
        load.wait_well(time.monotonic(), 180)  # a start of the services, on however busy a machine
        return time.monotonic() - at

    return fault


KILLS: dict[str, Fault] = {
    "kill postgres": _killing("postgres"),
    "kill ai_core": _killing("ai_core"),
    "kill backend": _killing("backend"),
    "kill backend and postgres": _killing("backend", "postgres"),
    "kill backend and ai_core": _killing("backend", "ai_core"),
}
HANGS: dict[str, Fault] = {
    # Found out after three questions that stay without an answer.
    "ai_core stands still": _killing("ai_core", number=SIGSTOP, seconds=60),
    "backend stands still": _killing("backend", number=SIGSTOP, seconds=60),
}
MODELS: dict[str, Fault] = {
    "model hangs": _model("hang", Told.UNAVAILABLE, Told.UNAVAILABLE, wait=False),  # half a minute
    "model drips": _model("drip", Told.ANSWERED, Told.ANSWERED),
    "model breaks off": _model("break off", Told.ANSWERED, Told.BROKEN),
    "model writes garbage": _model("write garbage", Told.UNAVAILABLE, Told.UNAVAILABLE),
    "model refuses": _model("refuse", Told.UNAVAILABLE, Told.UNAVAILABLE),
}
CERTIFICATES: dict[str, Fault] = {
    "certificate expired": _bad_certificate(-2 * LEAF_LIFE),
    "certificate not yet valid": _bad_certificate(LEAF_LIFE),
}
STORES: dict[str, Fault] = {"connections exhausted": _no_connections, "full disk": _full_disk}


@dataclass(frozen=True)
class Result:
    """What became of some faults, one after another."""

    seconds: dict[str, float]
    told: Counter[str]
    unkept: list[str]
    """Promises that were broken."""

    def __str__(self) -> str:
        well = [f"{name}: well again after {seconds:.1f} s" for name, seconds in self.seconds.items()]
        told = ", ".join(f"{number} × {what}" for what, number in sorted(self.told.items()))
        return "\n".join((*well, f"told: {told}", *(f"NOT KEPT: {promise}" for promise in self.unkept)))


def suffer(faults: Mapping[str, Fault], house: House, people: list[Person]) -> Result:
    """Do ``faults`` while ``people`` talk, and compare what they were told with what is stored."""
    with Load(people) as load:
        seconds = {name: fault(house, load) for name, fault in faults.items()}
    return Result(seconds, load.ledger.counts(), unkept(load.ledger, house))


def unkept(ledger: Ledger, house: House, seconds: float = MEMORY_SECONDS) -> list[str]:
    """Where Sanctum differs from the ledger, after it had time to hand all turns to the memory."""
    found: list[str] = []
    with suppress(TimeoutError):  # without reading all there is: that would keep busy who is to hand it over
        eventually(lambda: not waiting(ledger.entries, house.sql), seconds, pause=0.5)

    def kept() -> bool:
        found[:] = discrepancies(ledger.entries, read_stored(ledger.entries, house.sql))
        # What a client was told wrongly does not become right by waiting.
        return all(": told " in one for one in found)

    with suppress(TimeoutError):
        eventually(kept, min(seconds, SETTLE_SECONDS), pause=0.5)
    return found
