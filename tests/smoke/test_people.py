"""Whoever is not erased is written down, for the next run here and for no other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.smoke.address import Address
from tests.smoke.clock import Clock
from tests.smoke.people import People

URL = "https://api.example.com"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Callable[[str], People]]:
    """People of one more run at an address, all from the same folder."""
    made = list[People]()

    def run(url: str) -> People:
        made.append(People(Address(url, None, Clock(print), print), tmp_path))
        return made[-1]

    yield run
    for people in made:
        people.close()


def test_the_next_run_takes_over_who_was_left(at: Callable[[str], People]) -> None:
    first = at(URL)
    person = first.make()
    first.close()
    (left,) = at(URL).take_over()
    assert (left.email, left.password) == (person.email, person.password)


def test_a_run_that_goes_on_keeps_its_people(at: Callable[[str], People]) -> None:
    at(URL).make()
    assert at(URL).take_over() == []


def test_people_of_another_address_are_left_alone(at: Callable[[str], People]) -> None:
    first = at(URL)
    first.make()
    first.close()
    assert at("https://api.staging.example.com").take_over() == []


def test_a_note_that_was_not_finished_is_nobody(at: Callable[[str], People], tmp_path: Path) -> None:
    (tmp_path / "smoke+1@example.com.json").touch()
    assert at(URL).take_over() == []


def test_nobody_is_written_down_who_is_gone_and_nobody_else_can_read_it(
    at: Callable[[str], People], tmp_path: Path
) -> None:
    people = at(URL)
    person = people.make()
    (note,) = tmp_path.iterdir()
    assert note.stat().st_mode & 0o077 == 0
    people.never_was(person)
    assert list(tmp_path.iterdir()) == []


def test_every_address_is_of_a_domain_that_is_nobodys(at: Callable[[str], People]) -> None:
    emails = {at(URL).make().email for _ in range(3)}
    assert len(emails) == 3
    assert {email.partition("@")[2] for email in emails} == {"example.com"}
