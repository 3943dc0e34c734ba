"""Whatever dies, lies, fills up or is taken away while people talk: what they were told is what is stored.

With ``-s`` each test says how soon all was well again.
"""

from collections.abc import Mapping

import pytest

from tests.faults.faults import CERTIFICATES, KILLS, MODELS, STORES, Fault, suffer
from tests.faults.house import House
from tests.support.person import Person


def _check(faults: Mapping[str, Fault], house: House, people: list[Person]) -> None:
    result = suffer(faults, house, people)
    print(f"\n{result}")  # noqa: T201 - shown with -s
    assert not result.unkept


def test_what_was_told_holds_when_processes_are_killed(house: House, people: list[Person]) -> None:
    _check(KILLS, house, people)


def test_what_was_told_holds_when_the_model_misbehaves_and_the_database_runs_out_of_connections_and_room(
    house: House, people: list[Person]
) -> None:
    possible = MODELS | {name: fault for name, fault in STORES.items() if house.small or name != "full disk"}
    _check(possible, house, people)
    if not house.small:
        pytest.skip("a small disk cannot be mounted here, not even in a namespace of one's own")


def test_what_was_told_holds_when_a_certificate_is_not_valid_and_new_ones_are_made(
    house: House, people: list[Person]
) -> None:
    _check(CERTIFICATES, house, people)
