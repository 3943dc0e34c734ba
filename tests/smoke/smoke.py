"""One run: what anybody sees, then a life, then erasing whoever is left."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.smoke import outside
from tests.smoke.address import Address
from tests.smoke.clock import Clock, Interrupted, TimeIsOver
from tests.smoke.failures import BESIDE, Failed
from tests.smoke.life import Life
from tests.smoke.people import People

LEAST_SECONDS = 20
"""Less makes no sense: a life takes five, and erasing has to be possible where something hangs."""


@dataclass(frozen=True)
class Options:
    """How long what may take; seconds."""

    within: float = 120
    """All together."""
    settle: float = 30
    """Until the first health check passes."""
    remembered: float = 45
    """Until something is remembered; 0: it need not be."""
    notes: Path = Path("build/smoke")
    """Where it is written down who has not been erased."""

    @property
    def erasing(self) -> float:
        """What is set aside to erase whoever is left after a failure."""
        return min(30.0, self.within / 3)


def smoke(url: str, ca: str | None, options: Options, say: Callable[[str], None]) -> bool:
    """Whether all went well; ``say`` is told, line by line, what was done.

    Raises:
        ValueError: the address or the authority is none.
    """
    clock = Clock(say)
    address = Address(url, ca, clock, say)
    people = People(address, options.notes)
    with clock.hearing():
        say(f"A person's life at {address.url}, at most {options.within:.0f} s")
        begun, passed = time.monotonic(), False
        try:
            with clock.bounded(options.within - options.erasing, stoppable=True):
                passed = _walk(_steps(address, people, options, say), say)
        except Interrupted as end:  # just between two steps
            say(f"        {end}")
        finally:
            erased = _erase_rest(people, clock, options.erasing, say)
            people.close()
        passed = passed and erased
        say(f"{'All went well' if passed else 'FAILED'} after {time.monotonic() - begun:.1f} s")
    return passed


def _steps(
    address: Address, people: People, options: Options, say: Callable[[str], None]
) -> dict[str, Callable[[], str]]:
    return {
        "health": lambda: outside.healthy(address, options.settle, say),
        "transport": lambda: outside.transport(address),
        "description": lambda: outside.description(address),
        "left behind": lambda: _left_behind(people),
        **Life(address, people, options.remembered).steps(),
    }


def _left_behind(people: People) -> str:
    left = people.take_over()
    for person in left:
        people.erase(person)
    return f"{len(left)} of earlier runs erased" if left else "nobody by an earlier run from here"


def _walk(steps: dict[str, Callable[[], str]], say: Callable[[str], None]) -> bool:
    """Take the steps up to the first that fails."""
    for name, step in steps.items():
        begun = time.monotonic()

        def told(how: str, text: object, name: str = name, begun: float = begun) -> None:
            say(f"{how:6}  {name:13}{time.monotonic() - begun:6.2f} s  {text}")

        try:
            told("ok", step())
        except Interrupted as end:
            told("FAILED", end)
            if isinstance(end, TimeIsOver) and (where := BESIDE.get(name)):
                say(f"        Look at: {where}")
            return False
        except Failed as failure:
            told("FAILED", failure)
            if where := failure.look_at(name):
                say(f"        Look at: {where}")
            return False
        except OSError as error:  # not of a connection: those are told as failures
            told("FAILED", f"on this machine: {error.strerror}: {error.filename}")
            return False
        except Exception as error:  # noqa: BLE001 - of its text nothing is said: that may quote a person
            told("FAILED", f"the answer is not of the form that it should have: {_place(error)}")
            return False
    return True


def _place(error: Exception) -> str:
    """Kind and line of an error."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.filename}:{frame.lineno}"


def _erase_rest(people: People, clock: Clock, seconds: float, say: Callable[[str], None]) -> bool:
    """Whether nobody is left."""
    if not people.living:
        return True
    told = set[str]()

    def failed(failure: Failed) -> None:
        if str(failure) not in told:
            say(f"        not erased yet: {failure}")
        told.add(str(failure))

    many = len(people.living)
    try:
        with clock.bounded(seconds, stoppable=False):
            people.erase_all(failed)
    except Interrupted:
        pass
    for person in people.living:
        say(f"NOT ERASED: {person.email}; its password is in {person.note.name}. A next run from here tries again.")
    if not people.living:
        say(f"        erased: all {many} who were left")
    return not people.living
