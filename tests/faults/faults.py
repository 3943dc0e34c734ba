"""The faults: each hurts a running Sanctum while people talk, and returns how soon it was well again by itself."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.faults.disk import full
from tests.faults.house import House
from tests.faults.ledger import Ledger, Told, discrepancies, read_stored
from tests.faults.load import Load
from tests.support.person import Person
from tests.support.waiting import eventually

MEMORY_SECONDS = 40
"""For all turns to reach the memory: one that a killed backend had begun to hand over comes up again after 15 s."""

Fault = Callable[[House, Load], float]
"""Returns the seconds from the end of its cause until everybody was answered again."""


def _killing(*victims: str) -> Fault:
    def fault(house: House, load: Load) -> float:
        before = [house.process(victim) for victim in victims]
        at = time.monotonic()
        house.kill(*victims)
        seconds = load.wait_well(at)
        assert not set(before) & {house.process(victim) for victim in victims}
        return seconds

    return fault


def _full_disk(house: House, load: Load) -> float:
    with full(house.data):
        load.wait_told(Told.UNAVAILABLE, since=time.monotonic())
    return load.wait_well(time.monotonic())


def _no_connections(house: House, load: Load) -> float:
    with house.holding_all_connections():
        load.wait_told(Told.UNAVAILABLE, since=time.monotonic())
    return load.wait_well(time.monotonic())


FAULTS: dict[str, Fault] = {
    "kill postgres": _killing("postgres"),
    "kill ai_core": _killing("ai_core"),
    "kill backend": _killing("backend"),
    "kill backend and postgres": _killing("backend", "postgres"),
    "kill backend and ai_core": _killing("backend", "ai_core"),
    "full disk": _full_disk,
    "no connections": _no_connections,
}


@dataclass(frozen=True)
class Result:
    """What became of one fault."""

    seconds: float
    told: Counter[str]
    unkept: list[str]
    """Promises that were broken."""

    def __str__(self) -> str:
        told = ", ".join(f"{number} × {what}" for what, number in sorted(self.told.items()))
        return f"well again after {self.seconds:.1f} s; told: {told}"


def suffer(fault: Fault, house: House, people: list[Person]) -> Result:
    """Do ``fault`` while ``people`` talk, and compare what they were told with what is stored."""
    with Load(people) as load:
        seconds = fault(house, load)
    return Result(seconds, load.ledger.counts(), unkept(load.ledger, house))


def unkept(ledger: Ledger, house: House, seconds: float = MEMORY_SECONDS) -> list[str]:
    """Where Sanctum differs from the ledger, after it had time to hand all turns to the memory."""
    found: list[str] = []

    def kept() -> bool:
        found[:] = discrepancies(ledger.entries, read_stored(ledger.entries, house.sql))
        return not found or any(entry.wrong for entry in ledger.entries)

    with suppress(TimeoutError):
        eventually(kept, seconds, pause=0.5)
    return found
