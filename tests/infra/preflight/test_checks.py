"""No check is left untried."""

import pytest

from infra.preflight.check import Check, Inquiry
from infra.preflight.checks import CHECKS, CREDENTIALS
from tests.infra.preflight import account, granted, offered
from tests.infra.preflight.case import BAD, GOOD, judge_refused
from tests.infra.preflight.conftest import BY_TITLE

CASES = (*account.CASES, *granted.CASES, *offered.CASES)
LINKED_ROLES = BY_TITLE["Service-linked roles"]
"""Has tests of its own: test_linked_roles.py."""


def test_every_check_is_tried_with_an_account_that_is_ready_and_one_that_is_not() -> None:
    for check in CHECKS:
        states = {case.state for case in CASES if case.check == check.title}
        assert {GOOD, BAD} <= states or check is LINKED_ROLES


@pytest.mark.parametrize("check", [CREDENTIALS, LINKED_ROLES], ids=lambda check: check.title)
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(check: Check[Inquiry]) -> None:
    judge_refused(check, {})
