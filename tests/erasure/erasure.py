"""Some leave while others stay and talk, and the epoch rolls twice; then all promises are looked at."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.erasure.leavers import Leaver
from tests.erasure.opened import keys_exported, opened
from tests.erasure.system import Backup, System
from tests.faults.faults import MEMORY_SECONDS
from tests.faults.ledger import Told, discrepancies, read_stored
from tests.faults.load import Load
from tests.support.person import Person
from tests.support.running import Sanctum
from tests.support.waiting import eventually

TOMBSTONES = {"public.forgotten_users"}
"""Where the id of somebody who was erased stays, in the memory's database: what comes late about them is refused."""


@dataclass(frozen=True)
class Result:
    """What became of it."""

    messages: int
    """Of those who stay."""
    seconds: float
    rolls: list[float]
    """Seconds of each."""
    unkept: list[str]
    """Promises that were broken."""

    def __str__(self) -> str:
        rolls = " and ".join(f"{seconds:.1f}" for seconds in self.rolls)
        told = f"{self.messages} messages in {self.seconds:.0f} s while the epoch rolled, in {rolls} s"
        return "\n".join((told, *(f"NOT KEPT: {promise}" for promise in self.unkept)))


def suffer(sanctum: Sanctum, *, stay: int, leave: int, pause: float) -> Result:
    """Have ``stay + leave`` people talk, those who stay every ``pause`` seconds."""
    system = System(sanctum)
    staying, leaving = ([Person(sanctum.url, sanctum.ca).register() for _ in range(number)] for number in (stay, leave))
    leavers = [Leaver(person) for person in leaving]
    stop = threading.Event()
    begun, rolls = time.monotonic(), list[float]()
    with ThreadPoolExecutor(2 * leave) as pool, Load(staying, pause=pause) as load:
        talking = [pool.submit(leaver.talk, stop) for leaver in leavers]
        eventually(lambda: len(system.remembered()) == stay + leave, MEMORY_SECONDS)
        yesterday = system.backup("yesterday")
        for half in (leavers[::2], leavers[1::2]):
            for erased in [pool.submit(leaver.erase) for leaver in half]:
                erased.result()
            rolls.append(system.roll())
            load.wait_well(time.monotonic(), MEMORY_SECONDS)
        eventually(lambda: all(one.done() for one in talking), MEMORY_SECONDS)
        stop.set()
        for one in talking:
            one.result()
    seconds, told = time.monotonic() - begun, load.ledger.counts()
    unkept = [f"{number} × {what}" for what, number in told.items() if what != Told.ANSWERED]
    unkept += _of_who_stays(load, system)
    unkept += [each for leaver in leavers for each in leaver.unkept()]
    unkept += _of_who_left(leavers, staying, system, yesterday)
    for person in (*staying, *leaving):
        person.http.close()
    return Result(told[Told.ANSWERED], seconds, rolls, unkept)


def _of_who_stays(load: Load, system: System) -> list[str]:
    eventually(lambda: system.sql("SELECT count(*) FROM outbox") == "0", MEMORY_SECONDS)
    return discrepancies(load.ledger.entries, read_stored(load.ledger.entries, system.sql))


def _of_who_left(leavers: list[Leaver], staying: list[Person], system: System, yesterday: Backup) -> list[str]:
    today = system.backup("today")
    keys = opened([*yesterday.keys, *today.keys, *keys_exported(system.sanctum.state)], system.sanctum.state)
    unkept: list[str] = []
    for leaver in leavers:
        it = yesterday.ids[leaver.person.email]
        left = today.tables.get(str(it), set()) - TOMBSTONES | today.tables.get(leaver.person.email, set())
        unkept += [f"somebody who was erased is in {table}" for table in sorted(left)]
        unkept += ["a backup gives away what somebody said"] * bool(yesterday.cells.words(keys, it))
        # Nothing would be found if nothing were looked for.
        if not {"public.messages", "public.memories", "public.user_keys"} <= yesterday.tables[str(it)]:
            unkept.append("the backup did not have them")
    for person in staying:
        it = yesterday.ids[person.email]
        unkept += ["a neighbour's backup does not open"] * (not yesterday.cells.words(keys, it))
        unkept += ["a neighbour cannot be read"] * (not today.cells.words(keys, it))
    return unkept
