"""What AWS offers an account: where it is not enough for the settings, the remedy is said."""

import pytest

from tests.infra.preflight.case import Case
from tests.infra.preflight.conftest import Ask
from tests.infra.preflight.offered import CASES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    case.judge(ask)
