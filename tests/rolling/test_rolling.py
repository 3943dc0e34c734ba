"""What people notice when a new version takes over: nothing."""

import pytest

from tests.rolling.rollover import Rollover
from tests.rolling.system import INSTANCES

pytestmark = pytest.mark.xdist_group("rolling")


def test_no_request_fails(rollover: Rollover) -> None:
    assert rollover.told.failures == []
    assert rollover.told.answered >= 1000
    assert len(rollover.replaced) >= 2 * INSTANCES


def test_the_load_balancers_saw_no_failure_either(rollover: Rollover) -> None:
    assert rollover.failed_lines == []


def test_an_instance_serves_streams_to_their_end_after_it_was_told_to_stop(rollover: Rollover) -> None:
    for instance in rollover.replaced:
        spanning = [
            line
            for line in rollover.lines
            if line.target == instance.name and line.begun < instance.nothing_new_at < line.until
        ]
        assert spanning, f"{instance.name} had nothing under way"


def test_an_instance_that_hears_first_serves_what_still_comes(rollover: Rollover) -> None:
    # Of the backends, to which something comes at every moment.
    backends = [instance for instance in rollover.replaced if instance.service.public]
    hear_first = [instance for instance in backends if instance.terminated_at < instance.nothing_new_at]
    assert hear_first
    for instance in hear_first:
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
