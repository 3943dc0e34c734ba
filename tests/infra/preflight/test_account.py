"""What somebody has to make in an account: where it is missing, the remedy is said."""

import pytest

from tests.infra.preflight.account import ASKED, CASES
from tests.infra.preflight.case import GOOD, UNKNOWN, Case, judge_refused
from tests.infra.preflight.conftest import BY_TITLE, Ask
from tests.infra.preflight.recorded import REFUSED


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    case.judge(ask)


@pytest.mark.parametrize("title", dict.fromkeys(case.check for case in CASES))
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(title: str) -> None:
    judge_refused(BY_TITLE[title], ASKED.get(title, {}))


def test_what_may_not_be_asked_costs_no_other_answer(ask: Ask) -> None:
    answers = ask(
        "Bootstrap", {"ssm.GetParameter": {"Parameter": {"Value": "30"}}, "cloudformation.DescribeStacks": REFUSED}
    )
    assert [answer.state for answer in answers] == [GOOD, UNKNOWN]
