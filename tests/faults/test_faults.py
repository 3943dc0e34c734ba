"""Whatever dies, fills up or is taken away while people talk: what they were told is what is stored."""

import pytest

from tests.faults.faults import FAULTS, suffer
from tests.faults.house import House
from tests.support.person import Person


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_told_holds_after_a_fault_and_all_is_well_again(name: str, house: House, people: list[Person]) -> None:
    if name == "full disk" and not house.small:
        pytest.skip("a small disk cannot be mounted here, not even in a namespace of one's own")
    result = suffer(FAULTS[name], house, people)
    print(f"{name}: {result}")  # noqa: T201 - shown with -s
    assert not result.unkept
    assert result.told["a reply"]
