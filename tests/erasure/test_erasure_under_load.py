"""Who is erased while everybody talks is gone, and nobody else notices; of more people: ``python -m tests.erasure``."""

from pathlib import Path

import pytest

from tests.erasure.erasure import suffer
from tests.support.openai_server import stand_in
from tests.support.running import running

pytestmark = pytest.mark.xdist_group("erasure_under_load")


def test_who_is_erased_under_load_leaves_no_trace_and_nobody_else_notices(tmp_path: Path) -> None:
    with stand_in() as options, running(tmp_path / "state", *options) as sanctum:
        result = suffer(sanctum, stay=6, leave=2, pause=0.3)
    assert not result.unkept
    assert result.messages > 6
