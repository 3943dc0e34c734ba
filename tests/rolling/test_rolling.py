"""What people notice when a new version takes over: nothing."""

import pytest

from tests.rolling.instance import Instance
from tests.rolling.rollover import Rollover
from tests.rolling.system import INSTANCES

pytestmark = pytest.mark.xdist_group("rolling")


def hear_first(rollover: Rollover) -> list[Instance]:
    """The instances that were told to end before their load balancers were."""
    found = [instance for instance in rollover.replaced if instance.terminated_at < instance.nothing_new_at]
    assert {instance.service.name for instance in found} == {"ai_core", "backend"}
    return found


def test_no_request_fails(rollover: Rollover) -> None:
    assert rollover.told.failures == []
    assert rollover.told.answered >= 1000
    assert len(rollover.replaced) >= 2 * INSTANCES


def test_the_load_balancers_saw_no_failure_either(rollover: Rollover) -> None:
    assert rollover.failed_lines == []


def test_what_is_under_way_when_an_instance_is_to_go_ends_well(rollover: Rollover) -> None:
    for instance in rollover.replaced:
        # That it ended well is what the test above finds.
        assert rollover.open_at(instance.told_at, instance), f"{instance.name} had nothing under way"


def test_streams_outlive_the_time_in_which_an_instance_takes_something_new(rollover: Rollover) -> None:
    assert any(rollover.open_at(instance.nothing_new_at, instance) for instance in hear_first(rollover))


def test_an_instance_that_hears_first_serves_what_still_comes(rollover: Rollover) -> None:
    # A backend: to an AI core not so much comes that it would be certain.
    for instance in hear_first(rollover):
        if instance.service.public:
            assert [
                line
                for line in rollover.lines
                if line.target == instance.name and instance.terminated_at < line.begun < instance.nothing_new_at
            ], f"nothing came to {instance.name}"


def test_an_instance_ends_by_itself_within_its_time(rollover: Rollover) -> None:
    assert {instance.exit_code for instance in rollover.replaced} == {0}


def test_what_was_answered_is_stored_and_remembered_once(rollover: Rollover) -> None:
    told = sorted(rollover.told.messages)
    assert sorted(rollover.stored) == told
    assert sorted(set(rollover.remembered)) == told


def test_requests_fail_when_an_instance_ends_before_its_load_balancer_knows(rollover: Rollover) -> None:
    assert rollover.failures_unannounced > 0
