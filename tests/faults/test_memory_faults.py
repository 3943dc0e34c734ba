"""Whatever becomes of OpenSearch while people talk: nothing is lost, nothing twice, and what was forgotten stays so."""

import pytest

from tests.faults.faults import suffer
from tests.faults.house import House
from tests.faults.memory_faults import MEMORY_FAULTS
from tests.support.person import Person


@pytest.mark.parametrize(
    "names", [("kill opensearch", "opensearch is slow"), ("opensearch has no room",)], ids=["away", "full"]
)
def test_what_was_told_holds_when_opensearch_dies_is_slow_or_has_no_room(
    names: tuple[str, ...], house_on_opensearch: House, people_on_opensearch: list[Person]
) -> None:
    result = suffer({name: MEMORY_FAULTS[name] for name in names}, house_on_opensearch, people_on_opensearch)
    print(f"\n{result}")  # noqa: T201 - shown with -s
    assert not result.unkept
