"""Stores that AWS offers an account: where they are not those of the settings, the remedy is said."""

import pytest

from tests.infra.preflight.case import Case, judge_refused
from tests.infra.preflight.conftest import BY_TITLE, Ask
from tests.infra.preflight.offered_stores import CASES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    case.judge(ask)


@pytest.mark.parametrize("title", dict.fromkeys(case.check for case in CASES))
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(title: str) -> None:
    judge_refused(BY_TITLE[title], {})
