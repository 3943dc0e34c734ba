"""What AWS offers an account: where it is not enough for the settings, the remedy is said."""

import pytest

from tests.infra.preflight.case import UNKNOWN, Case, judge_refused
from tests.infra.preflight.conftest import BY_TITLE, Ask
from tests.infra.preflight.offered import CASES, zones


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    case.judge(ask)


@pytest.mark.parametrize("title", dict.fromkeys(case.check for case in CASES))
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(title: str) -> None:
    judge_refused(BY_TITLE[title], {})


def test_an_answer_of_an_unexpected_form_is_not_known(ask: Ask) -> None:
    half = zones()["ec2.DescribeAvailabilityZones"]["AvailabilityZones"]
    answers = ask("Zones", {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": [*half, {"ZoneId": "use1-az9"}]}})
    assert [answer.state for answer in answers] == [UNKNOWN]
    assert "was not understood: KeyError" in answers[0].text
