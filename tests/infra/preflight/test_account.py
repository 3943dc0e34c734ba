"""What somebody has to make or to allow in an account: where it is missing, the remedy is said."""

import pytest

from tests.infra.preflight.account import CASES
from tests.infra.preflight.case import Case
from tests.infra.preflight.conftest import Ask


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    case.judge(ask)
